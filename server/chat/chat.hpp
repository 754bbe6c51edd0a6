#pragma once

#include "server/api/application.hpp"

/// The chat: one room, its history, exactly-once messages for whoever can have them.
///
///   CONNECT auth  {"serverOffset": N}         replays what has an id beyond N (absent: everything)
///   event         "chat message" (text, clientOffset?, ack?)     durable
///   broadcast     "chat message" (text, id, {"at": ms, "key"?: "producer:sequence"})
///   event         "echo" (value, ack)         acks the value
namespace oncewire::chat {

/// 32,768 bytes: one message as JSON, so that the whole event stays below what is accepted as durable.
inline constexpr std::size_t text_bytes_max = 32'768;
/// 256 bytes: the id a stock client gives its message; the tutorial's have about 25.
inline constexpr std::size_t client_offset_bytes_max = 256;

/// Registers everything of the chat.
void install(api::Application& application);

}  // namespace oncewire::chat
