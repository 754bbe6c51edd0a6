#pragma once

#include <cstdint>
#include <string>

#include "shared/delivery/cursor.hpp"

/// What operators hear of a hub.
namespace oncewire::hub {

/// A session that reads a room, and how it stands to one entry of it.
struct RoomReader {
    std::string sid;
    /// It was handed to the session's connection, unless its client had it or came into the room later.
    bool is_past = false;
    bool operator==(const RoomReader&) const = default;
};

struct HubCounts {
    std::uint64_t connections_opened = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t sockets_open = 0;
    std::uint64_t frames_in = 0;
    std::uint64_t frames_out = 0;         ///< deliveries: one for each receiver
    std::uint64_t ephemeral_dropped = 0;  ///< to slow readers
    std::uint64_t slow_readers_closed = 0;
    std::uint64_t sessions_resumed = 0;
    std::uint64_t violations = 0;
    delivery::Anomalies noticed;  ///< what clients say: expected 0, 0 and 0
};

}  // namespace oncewire::hub
