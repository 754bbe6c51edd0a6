#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/mail/target.hpp"
#include "shared/base/time.hpp"
#include "shared/socketio/packet.hpp"

/// What the hubs of different cores say to each other: the adapter seam. All of it travels through one
/// core, which orders it; so a room sees the same order of broadcasts on every core.
namespace oncewire::mail {

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

/// Something the applications of all cores are asked, the asking one's included; each answers with
/// ServerCalls::answer(), any number of times, and says which answer is its last.
struct CoreQuestion {
    enum class Kind : std::uint8_t {
        acknowledge,  ///< send the event `data` to `target` and pass on what each of them acknowledges
        describe,     ///< say who is in `target`
        server_side,  ///< answer the event `data` yourself
    };
    std::uint16_t from = 0;
    std::uint64_t number = 0;  ///< of the asking core's questions
    Kind kind = Kind::describe;
    Target target;
    std::string data;  ///< JSON array text
    std::vector<std::string> attachments;
    std::optional<Millis> timeout;
};
struct CoreAnswer {
    std::uint16_t from = 0;
    std::uint64_t number = 0;
    std::string data;  ///< JSON text; the applications agree on its shape
    std::vector<std::string> attachments;
    bool is_last = true;
};

using CoreCommand = std::variant<Broadcast, JoinRooms, LeaveRooms, DisconnectSockets,
                                 ServerSideEmit, CoreQuestion, CoreAnswer>;

/// One letter between cores; the command is shared, not copied.
struct CoreMail {
    enum class Stage : std::uint8_t {
        to_be_ordered,  ///< on its way to the ordering core
        ordered,        ///< apply it
    };
    Stage stage = Stage::ordered;
    std::shared_ptr<const CoreCommand> command;
};

}  // namespace oncewire::mail
