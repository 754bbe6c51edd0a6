#pragma once

#include "server/mail/sequencer_mail.hpp"
#include "server/store/overlay/overlay.hpp"
#include "server/store/recovery.hpp"

/// What is stored and how that ends are the store's words, the letters the mail's; the sequencer is made of both.
namespace oncewire::sequencer {

using mail::Answered;
using mail::Ask;
using mail::Attach;
using mail::Attached;
using mail::AttachRefused;
using mail::ChangeRooms;
using mail::Conflict;
using mail::Cut;
using mail::Detach;
using mail::EndSession;
using mail::Expect;
using mail::Fence;
using mail::FromSequencer;
using mail::LogState;
using mail::OpenSession;
using mail::Page;
using mail::Published;
using mail::ReadPage;
using mail::Record;
using mail::Recorded;
using mail::Relay;
using mail::Relayed;
using mail::RetryLater;
using mail::RunTask;
using mail::SessionEffect;
using mail::SessionOpened;
using mail::SessionRef;
using mail::Settled;
using mail::Submit;
using mail::TaskEnded;
using mail::ToReader;
using mail::ToSequencer;

using store::accept;
using store::digest_of_body;
using store::error_text;
using store::get;
using store::is_event;
using store::log_room;
using store::LogEntry;
using store::may_see;
using store::Membership;
using store::OnceRow;
using store::outcome_unknown;
using store::Overlay;
using store::ProducerRow;
using store::Publication;
using store::QuestionRow;
using store::RecordedEvent;
using store::RecoveryLimits;
using store::reject;
using store::Retention;
using store::SessionRow;
using store::SqlError;
using store::SqlRow;
using store::SqlValue;
using store::StoreError;
using store::TaskRow;
using store::unreadable_event;
using store::Verdict;
using store::Wanted;
using store::WriteOutcome;
using store::Written;

}  // namespace oncewire::sequencer
