#include "server/chat/attendance.hpp"

#include <algorithm>
#include <set>

namespace oncewire::chat {

using api::Json;

void Attendance::remove(const std::string& place, const std::string& id) {
    const auto room = rooms_.find(place);
    if (room == rooms_.end()) return;
    const auto person = room->second.find(id);
    if (person == room->second.end() || --person->second > 0) return;
    room->second.erase(person);
    if (room->second.empty()) rooms_.erase(room);
}

Json Attendance::in(const std::string& place) const {
    Json ids = Json::array();
    const auto room = rooms_.find(place);
    if (room == rooms_.end()) return {{"ids", ids}, {"count", 0}};
    for (const auto& [id, sessions] : room->second) {
        if (ids.size() == listed_max) break;
        ids.push_back(id);
    }
    return {{"ids", std::move(ids)}, {"count", room->second.size()}};
}

Json merged(const std::vector<Json>& lists) {
    std::set<std::string> ids;
    std::size_t unlisted = 0;
    for (const Json& list : lists) {
        for (const Json& id : list["ids"]) ids.insert(id.get<std::string>());
        unlisted += list["count"].get<std::size_t>() - list["ids"].size();
    }
    Json first = Json::array();
    for (const auto& id : ids) {
        if (first.size() < Attendance::listed_max) first.push_back(id);
    }
    return {{"ids", std::move(first)}, {"count", ids.size() + unlisted}};
}

}  // namespace oncewire::chat
