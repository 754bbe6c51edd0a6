#include "server/hub/barrier.hpp"

#include <utility>

namespace oncewire::hub {
namespace {

std::string room_of(const std::string& log_room) { return log_room.substr(log_room.find(',') + 1); }

}  // namespace

std::optional<Deferred> Barrier::take() {
    if (deferred_.empty() || deferred_.front().after > back_) return std::nullopt;
    Deferred first = std::move(deferred_.front().deferred);
    deferred_.pop_front();
    return first;
}

void Barrier::add_deferred_rooms(SocketId socket, std::vector<std::string>& rooms) const {
    for (const auto& [after, deferred] : deferred_) {
        if (const auto* enter = std::get_if<EnterRoom>(&deferred);
            enter && enter->socket == socket) {
            std::erase(rooms, room_of(enter->log_room));
            rooms.push_back(room_of(enter->log_room));
        }
        if (const auto* leave = std::get_if<LeaveRoom>(&deferred); leave && leave->socket == socket)
            std::erase(rooms, room_of(leave->log_room));
    }
}

}  // namespace oncewire::hub
