#pragma once

#include <cstddef>
#include <variant>

#include "server/core/mailbox.hpp"
#include "server/mail/core_mail.hpp"
#include "server/mail/sequencer_mail.hpp"
#include "server/net/http_server.hpp"

namespace oncewire::core {

/// All that may come into a core from another thread.
using CoreLetter = std::variant<mail::FromSequencer, mail::CoreMail, net::Foreign>;

using CoreMailbox = Mailbox<CoreLetter>;
using SequencerMailbox = Mailbox<mail::ToSequencer>;
using ReaderMailbox = Mailbox<mail::ToReader>;

/// As mail::bytes_of().
std::size_t bytes_of(const CoreLetter& letter);

}  // namespace oncewire::core
