#include "server/hub/audience.hpp"

namespace oncewire::hub {

bool Audience::enter(SocketId id, std::string_view log_room) {
    Socket* socket = sockets_.find(id);
    if (!socket || !rooms_.join(id, log_room)) return false;
    socket->log.has_new_rooms = true;
    return true;
}

std::vector<SocketId> Audience::sockets(const mail::Target& target) {
    std::vector<SocketId> found;
    const auto take = [&](SocketId id, Socket&, Connection&) { found.push_back(id); };
    const auto* family = families_.find(target.nsp);
    if (!family) {
        for_each(target, take);
        return found;
    }
    mail::Target part = target;
    for (const auto& nsp : *family) {
        part.nsp = nsp;
        for_each(part, take);
    }
    return found;
}

std::vector<std::string> Audience::rooms_of(SocketId id) const {
    std::vector<std::string> names;
    for (const auto& room : rooms_.rooms_of(id)) {
        auto name = room.substr(room.find(',') + 1);
        if (!name.empty()) names.push_back(std::move(name));
    }
    return names;
}

}  // namespace oncewire::hub
