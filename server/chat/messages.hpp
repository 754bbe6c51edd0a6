#pragma once

#include "server/chat/chat.hpp"

namespace oncewire::chat {

/// Where what is written to a person is kept: one log room for each of its two readers.
std::string inbox_of(std::string_view user);

/// What is stored: messages, changes of one's own messages, receipts, rooms.
void install_messages(api::Application& application);

}  // namespace oncewire::chat
