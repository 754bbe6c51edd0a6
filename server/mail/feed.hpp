#pragma once

#include <optional>

#include "server/mail/core_mail.hpp"
#include "server/mail/sequencer_mail.hpp"
#include "shared/base/time.hpp"

/// What a mailbox takes beyond its bound. Losing the rest costs its receiver time, nothing else.
namespace oncewire::mail {

/// What of a letter must reach a core whose mailbox is full. Of the feed nothing must: the core reads it from the
/// log, once a LogState has told it where the log stands. Of an ephemeral event only that it came past.
std::optional<FromSequencer> without_feed(FromSequencer letter);

/// 1 s: whoever asked for what could not be read asks again then.
inline constexpr Millis ask_again_after{1000};

/// The page for whoever cannot be read for now. `after`: as asked for.
Page unread(const SessionRef& to, delivery::Offset after);

/// In place of an answer to who reads (Page, Answered), for a core whose mailbox is full: that it was not read, so
/// that whoever asked asks again. Other letters as they are.
FromSequencer ask_again(FromSequencer answer);

/// Whether a core that does not get it misses nothing but an ephemeral event.
bool is_ephemeral(const CoreCommand& command);

}  // namespace oncewire::mail
