#pragma once

#include "server/chat/chat.hpp"

namespace oncewire::chat {

/// What was said before: pages, and a search. Asked of the sequencer like a message, so an answer
/// stands in one order with what arrives live; nothing is stored.
void install_history(api::Application& application, const Options& options);

}  // namespace oncewire::chat
