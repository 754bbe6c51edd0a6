#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/hub/ids.hpp"
#include "shared/base/text_hash.hpp"

namespace oncewire::hub {

/// Who is in which room. Join, leave and lookup are O(1); a broadcast walks one dense array. Members
/// stand in an order that depends only on the history of joins and leaves.
class RoomIndex {
  public:
    /// False: was a member already.
    bool join(SocketId socket, std::string_view room);
    bool leave(SocketId socket, std::string_view room);
    /// Leaves every room; O(rooms of this socket).
    void leave_all(SocketId socket);

    /// Valid until the next join or leave. Empty for an unknown room.
    const std::vector<SocketId>& members(std::string_view room) const;
    std::vector<std::string> rooms_of(SocketId socket) const;
    bool is_member(SocketId socket, std::string_view room) const;
    std::size_t room_count() const { return rooms_.size(); }

  private:
    struct Room;
    using Rooms = std::unordered_map<std::string, Room, TextHash, std::equal_to<>>;
    struct Membership {
        Rooms::value_type* room;  // its name, and what follows
        std::uint32_t place;      // index in its members
    };
    struct Room {
        std::vector<SocketId> members;
        std::vector<std::uint32_t> back;  // back[i]: index of this room in memberships_[members[i]]
    };

    void remove(SocketId socket, std::uint32_t membership);

    // Nodes of an unordered_map do not move, so memberships may point at them. Never iterated.
    Rooms rooms_;
    std::unordered_map<SocketId, std::vector<Membership>> memberships_;
};

}  // namespace oncewire::hub
