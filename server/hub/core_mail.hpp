#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "server/hub/target.hpp"
#include "shared/base/time.hpp"
#include "shared/socketio/packet.hpp"

/// What the hubs of different cores say to each other: the adapter seam. All of it travels through one
/// core, which orders it; so a room sees the same order of broadcasts on every core.
namespace oncewire::hub {

/// An ephemeral event for everybody in `target`.
struct Broadcast {
    Target target;
    std::string data;  ///< JSON array text
    std::vector<std::string> attachments;
    bool is_volatile = false;  ///< dropped for whoever cannot take it at once
};
struct JoinRooms {
    Target target;
    std::vector<std::string> rooms;
};
struct LeaveRooms {
    Target target;
    std::vector<std::string> rooms;
};
struct DisconnectSockets {
    Target target;
    bool close_connection = false;
};
/// For the applications of the other cores, not for clients.
struct ServerSideEmit {
    std::uint16_t from = 0;
    std::string nsp;
    std::string data;  ///< JSON array text
};

using CoreCommand =
    std::variant<Broadcast, JoinRooms, LeaveRooms, DisconnectSockets, ServerSideEmit>;

/// One letter between cores; the command is shared, not copied.
struct CoreMail {
    enum class Stage : std::uint8_t {
        to_be_ordered,  ///< on its way to the ordering core
        ordered,        ///< apply it
    };
    Stage stage = Stage::ordered;
    std::shared_ptr<const CoreCommand> command;
};

}  // namespace oncewire::hub
