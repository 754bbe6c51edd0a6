#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/hub/namespace_families.hpp"
#include "server/hub/room_index.hpp"
#include "server/hub/sockets.hpp"
#include "server/mail/target.hpp"
#include "server/store/log_entry.hpp"

namespace oncewire::hub {

/// Who is in which room, and whom a target means. Rooms are called by their log_room() names.
class Audience {
  public:
    Audience(Connections& connections, Sockets& sockets)
        : connections_(connections), sockets_(sockets) {}

    const RoomIndex& rooms() const { return rooms_; }
    NamespaceFamilies& families() { return families_; }

    /// False: it is gone, or was in there already.
    bool enter(SocketId id, std::string_view log_room);
    /// As enter(), for a socket that reads nothing yet.
    void place(SocketId id, std::string_view log_room) { rooms_.join(id, log_room); }
    bool leave(SocketId id, std::string_view log_room) { return rooms_.leave(id, log_room); }
    void leave_all(SocketId id) { rooms_.leave_all(id); }

    /// Calls visit(id, socket, connection) for each member of `target` that is connected and not over, once;
    /// not for a family. Visiting may end connections, but removes nobody.
    template <class Visit>
    void for_each(const mail::Target& target, Visit visit);
    /// The same as a list, of a family too.
    std::vector<SocketId> sockets(const mail::Target& target);
    /// Without namespace, and without the room of everybody.
    std::vector<std::string> rooms_of(SocketId id) const;

  private:
    Connections& connections_;
    Sockets& sockets_;
    RoomIndex rooms_;
    NamespaceFamilies families_;
    std::uint64_t newest_mark_ = 0;
};

template <class Visit>
void Audience::for_each(const mail::Target& target, Visit visit) {
    static const std::vector<std::string> everybody = {""};
    const auto& rooms = target.rooms.empty() ? everybody : target.rooms;
    // One room and nobody left out is the common case and needs no marks.
    const bool plain = rooms.size() == 1 && target.except.empty();
    const std::uint64_t mark = ++newest_mark_;
    for (const auto& room : target.except) {
        for (const SocketId id : rooms_.members(store::log_room(target.nsp, room))) {
            sockets_.known(id)->mark = mark;
        }
    }
    for (const auto& room : rooms) {
        for (const SocketId id : rooms_.members(store::log_room(target.nsp, room))) {
            Socket& socket = *sockets_.known(id);
            if (socket.state != Socket::State::connected) continue;
            if (!plain && std::exchange(socket.mark, mark) == mark) continue;
            if (Connection* connection = connections_.find(socket.connection))
                visit(id, socket, *connection);
        }
    }
}

}  // namespace oncewire::hub
