#include "server/store/overlay/sessions.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace oncewire::store {
namespace {

bool is_before(const Membership& a, const Membership& b) { return a.room < b.room; }

}  // namespace

Result<std::optional<SessionRow>, StoreError> SessionOverlay::find(std::string_view pid) {
    const auto changed = batch_.sessions.find(pid);
    if (changed != batch_.sessions.end()) return changed->second.after;
    Wanted wanted;
    wanted.sessions.emplace_back(pid);
    auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    return std::move(facts->sessions.front());
}

Result<SessionChange*, StoreError> SessionOverlay::change(std::string_view pid) {
    const auto changed = batch_.sessions.find(pid);
    if (changed != batch_.sessions.end()) return &changed->second;
    const auto row = find(pid);
    if (!row) return Err{row.error()};
    return &batch_.sessions.emplace(pid, SessionChange{*row, *row}).first->second;
}

Result<void, StoreError> SessionOverlay::put(SessionRow row) {
    const auto changed = change(row.pid);
    if (!changed) return Err{changed.error()};
    std::sort(row.rooms.begin(), row.rooms.end(), is_before);
    (*changed)->after = std::move(row);
    return {};
}

Result<void, StoreError> SessionOverlay::join(std::string_view pid, const Membership& room) {
    const auto changed = change(pid);
    if (!changed) return Err{changed.error()};
    auto& row = (*changed)->after;
    if (!row) return {};
    const auto place = std::lower_bound(row->rooms.begin(), row->rooms.end(), room, is_before);
    if (place == row->rooms.end() || place->room != room.room) row->rooms.insert(place, room);
    return {};
}

Result<void, StoreError> SessionOverlay::leave(std::string_view pid, std::string_view room) {
    const auto changed = change(pid);
    if (!changed) return Err{changed.error()};
    auto& row = (*changed)->after;
    if (!row) return {};
    std::erase_if(row->rooms, [room](const Membership& one) { return one.room == room; });
    return {};
}

Result<void, StoreError> SessionOverlay::drop(std::string_view pid) {
    const auto changed = change(pid);
    if (!changed) return Err{changed.error()};
    (*changed)->after.reset();
    return {};
}

Result<std::vector<std::string>, StoreError> SessionOverlay::in(
    const std::vector<std::string>& rooms) {
    Wanted wanted;
    wanted.members_of = rooms;
    const auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    std::set<std::string> pids(facts->members.begin(), facts->members.end());
    for (const auto& [pid, changed] : batch_.sessions) {
        if (changed.after && is_in_any(*changed.after, rooms)) {
            pids.insert(pid);
        } else {
            pids.erase(pid);
        }
    }
    return std::vector<std::string>(pids.begin(), pids.end());
}

Result<Pruned, StoreError> SessionOverlay::pruned() {
    Wanted wanted;
    wanted.pruned = true;
    const auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    return facts->pruned;
}

}  // namespace oncewire::store
