#include "server/hub/room_index.hpp"

#include "shared/base/verify.hpp"

namespace oncewire::hub {

bool RoomIndex::join(SocketId socket, std::string_view room_name) {
    if (is_member(socket, room_name)) return false;
    auto found = rooms_.find(room_name);
    if (found == rooms_.end()) found = rooms_.emplace(room_name, Room()).first;
    Room& room = found->second;
    auto& memberships = memberships_[socket];
    memberships.push_back({&*found, static_cast<std::uint32_t>(room.members.size())});
    room.members.push_back(socket);
    room.back.push_back(static_cast<std::uint32_t>(memberships.size() - 1));
    return true;
}

bool RoomIndex::leave(SocketId socket, std::string_view room_name) {
    const auto found = memberships_.find(socket);
    if (found == memberships_.end()) return false;
    for (std::uint32_t i = 0; i < found->second.size(); ++i) {
        if (found->second[i].room->first != room_name) continue;
        remove(socket, i);
        return true;
    }
    return false;
}

void RoomIndex::leave_all(SocketId socket) {
    for (auto found = memberships_.find(socket); found != memberships_.end();
         found = memberships_.find(socket)) {
        remove(socket, static_cast<std::uint32_t>(found->second.size() - 1));
    }
}

const std::vector<SocketId>& RoomIndex::members(std::string_view room_name) const {
    static const std::vector<SocketId> nobody;
    const auto found = rooms_.find(room_name);
    return found == rooms_.end() ? nobody : found->second.members;
}

std::vector<std::string> RoomIndex::rooms_of(SocketId socket) const {
    std::vector<std::string> names;
    const auto found = memberships_.find(socket);
    if (found == memberships_.end()) return names;
    for (const auto& membership : found->second) names.push_back(membership.room->first);
    return names;
}

bool RoomIndex::is_member(SocketId socket, std::string_view room_name) const {
    const auto found = memberships_.find(socket);
    if (found == memberships_.end()) return false;
    for (const auto& membership : found->second) {
        if (membership.room->first == room_name) return true;
    }
    return false;
}

/// Both arrays stay dense: the last element takes the free place, and whoever points at it is told.
void RoomIndex::remove(SocketId socket, std::uint32_t index) {
    auto& memberships = memberships_[socket];
    const Membership removed = memberships[index];
    Room& room = removed.room->second;

    const SocketId moved_socket = room.members.back();
    const std::uint32_t moved_back = room.back.back();
    room.members[removed.place] = moved_socket;
    room.back[removed.place] = moved_back;
    memberships_[moved_socket][moved_back].place = removed.place;
    room.members.pop_back();
    room.back.pop_back();

    const Membership last = memberships.back();
    memberships[index] = last;
    memberships.pop_back();
    if (index < memberships.size()) last.room->second.back[last.place] = index;
    if (memberships.empty()) memberships_.erase(socket);
    if (room.members.empty()) rooms_.erase(rooms_.find(removed.room->first));
}

}  // namespace oncewire::hub
