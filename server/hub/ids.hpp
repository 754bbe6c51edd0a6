#pragma once

#include <cstdint>

namespace oncewire::hub {

// Both have a place in the low half and a generation in the high half, so that a number is never valid for two.

/// One accepted peer of this hub.
using ConnectionId = std::uint64_t;
/// One namespace session of this hub: what Socket.IO calls a socket.
using SocketId = std::uint64_t;

}  // namespace oncewire::hub
