#include "server/store/sessions.hpp"

#include <algorithm>

namespace oncewire::store {

std::uint64_t RecordedEvent::bytes() const {
    std::uint64_t sum = data.size();
    for (const auto& attachment : attachments) sum += attachment.size();
    return sum;
}

bool is_in_any(const SessionRow& row, const std::vector<std::string>& rooms) {
    return std::any_of(row.rooms.begin(), row.rooms.end(), [&](const Membership& membership) {
        return std::find(rooms.begin(), rooms.end(), membership.room) != rooms.end();
    });
}

bool may_see(const std::vector<Membership>& session, delivery::Offset offset,
             const std::vector<std::string>& rooms, const std::vector<std::string>& except) {
    const auto names = [](const std::vector<std::string>& list, const std::string& room) {
        return std::find(list.begin(), list.end(), room) != list.end();
    };
    bool was_member = false;
    for (const auto& [room, since] : session) {
        if (names(except, room)) return false;
        was_member = was_member || (since < offset && names(rooms, room));
    }
    return was_member;
}

}  // namespace oncewire::store
