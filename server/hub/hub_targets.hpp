#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/hub/parts.hpp"
#include "server/store/log_entry.hpp"

/// For the hub's own files: walking whom a broadcast is for.
namespace oncewire::hub {

/// Each member of `target` whose session is connected and not over, once, with its connection. Visiting may end connections, but frees nothing.
template <class Visit>
void Parts::for_each(const mail::Target& target, Visit visit) {
    static const std::vector<std::string> everybody = {""};
    const auto& rooms = target.rooms.empty() ? everybody : target.rooms;
    // One room and nobody left out is the common case and needs no marks.
    const bool plain = rooms.size() == 1 && target.except.empty();
    const std::uint64_t mark = ++newest_mark_;
    for (const auto& room : target.except) {
        for (const SocketId id : rooms_.members(store::log_room(target.nsp, room))) {
            known_socket(id)->mark = mark;
        }
    }
    for (const auto& room : rooms) {
        for (const SocketId id : rooms_.members(store::log_room(target.nsp, room))) {
            Socket& socket = *known_socket(id);
            if (socket.state != SocketState::connected) continue;
            if (!plain && std::exchange(socket.mark, mark) == mark) continue;
            if (Connection* connection = find_connection(socket.connection))
                visit(id, socket, *connection);
        }
    }
}

}  // namespace oncewire::hub
