#include "server/hub/awaited_acks.hpp"

namespace oncewire::hub {

socketio::AckId AwaitedAcks::begin(std::optional<Instant> deadline) {
    const socketio::AckId id = pending_.expect(deadline);
    waits_for_[id];
    return id;
}

void AwaitedAcks::wait_for(socketio::AckId id, SocketId socket) {
    waits_for_[id].push_back(socket);
    of_socket_[socket].push_back(id);
}

bool AwaitedAcks::take(socketio::AckId id, SocketId socket) {
    const auto found = waits_for_.find(id);
    if (found == waits_for_.end() || std::erase(found->second, socket) == 0) return false;
    forget(id, socket);
    return true;
}

bool AwaitedAcks::end_if_complete(socketio::AckId id) {
    const auto found = waits_for_.find(id);
    if (found == waits_for_.end() || !found->second.empty()) return false;
    waits_for_.erase(found);
    pending_.settle(id);
    return true;
}

std::vector<socketio::AckId> AwaitedAcks::abandon(SocketId socket) {
    std::vector<socketio::AckId> over;
    const auto found = of_socket_.extract(socket);
    if (!found) return over;
    for (const auto id : found.mapped()) {
        std::erase(waits_for_[id], socket);
        if (end_if_complete(id)) over.push_back(id);
    }
    return over;
}

std::vector<socketio::AckId> AwaitedAcks::expire(Instant now) {
    auto over = pending_.expire(now);
    for (const auto id : over) {
        for (const SocketId socket : waits_for_[id]) forget(id, socket);
        waits_for_.erase(id);
    }
    return over;
}

void AwaitedAcks::forget(socketio::AckId id, SocketId socket) {
    const auto found = of_socket_.find(socket);
    std::erase(found->second, id);
    if (found->second.empty()) of_socket_.erase(found);
}

}  // namespace oncewire::hub
