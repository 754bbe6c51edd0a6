#pragma once

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

}  // namespace oncewire::core
