#pragma once

#include <cstddef>
#include <variant>

#include "server/core/mailbox.hpp"
#include "server/hub/core_mail.hpp"
#include "server/net/http_server.hpp"
#include "server/store/mail.hpp"

namespace oncewire::core {

/// All that may come into a core from another thread.
using CoreLetter = std::variant<store::FromSequencer, hub::CoreMail, net::Foreign>;

using CoreMailbox = Mailbox<CoreLetter>;
using SequencerMailbox = Mailbox<store::ToSequencer>;

/// The bytes a letter keeps, as far as peers have a say in them. What several cores share counts in each.
std::size_t bytes_of(const store::ToSequencer& letter);
std::size_t bytes_of(const CoreLetter& letter);

}  // namespace oncewire::core
