#pragma once

#include <cstddef>

#include "server/mail/core_mail.hpp"
#include "server/mail/sequencer_mail.hpp"

namespace oncewire::mail {

/// The bytes a letter keeps, as far as peers have a say in them. What several cores share counts in each.
std::size_t bytes_of(const ToSequencer& letter);
std::size_t bytes_of(const ToReader& letter);
std::size_t bytes_of(const FromSequencer& letter);
std::size_t bytes_of(const CoreMail& letter);

}  // namespace oncewire::mail
