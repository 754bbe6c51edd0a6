// What recovery keeps, in the reference model.
//
// VERIFY here: the sequencer begins, writes and ends in order, whatever a peer makes it write.
#include <algorithm>

#include "server/store/memory/memory_store.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::store {
namespace {

const MemorySessions nothing_kept;

bool is_in_any(const SessionRow& row, const std::vector<std::string>& rooms) {
    return std::any_of(row.rooms.begin(), row.rooms.end(), [&](const Membership& membership) {
        return std::find(rooms.begin(), rooms.end(), membership.room) != rooms.end();
    });
}

}  // namespace

const MemorySessions& MemoryStore::sessions() const {
    if (changes_.sessions) return *changes_.sessions;
    return disk_.tables.sessions ? *disk_.tables.sessions : nothing_kept;
}

template <class Change>
Result<void, StoreError> MemoryStore::change_sessions(Change change) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    if (!changes_.sessions) changes_.sessions = sessions();
    change(*changes_.sessions);
    return {};
}

Result<std::optional<SessionRow>, StoreError> MemoryStore::find_session(std::string_view pid) {
    if (const auto error = fault(Call::read)) return Err{*error};
    const auto found = sessions().rows.find(pid);
    if (found == sessions().rows.end()) return std::optional<SessionRow>();
    return std::optional(found->second);
}

Result<void, StoreError> MemoryStore::put_session(const SessionRow& row) {
    return change_sessions([&](MemorySessions& kept) {
        SessionRow& mine = kept.rows[row.pid] = row;
        std::sort(mine.rooms.begin(), mine.rooms.end(),
                  [](const Membership& a, const Membership& b) { return a.room < b.room; });
    });
}

Result<void, StoreError> MemoryStore::join_session(std::string_view pid, const Membership& room) {
    return change_sessions([&](MemorySessions& kept) {
        const auto found = kept.rows.find(pid);
        if (found == kept.rows.end()) return;
        auto& rooms = found->second.rooms;
        const auto place = std::lower_bound(
            rooms.begin(), rooms.end(), room,
            [](const Membership& a, const Membership& b) { return a.room < b.room; });
        if (place == rooms.end() || place->room != room.room) rooms.insert(place, room);
    });
}

Result<void, StoreError> MemoryStore::leave_session(std::string_view pid, std::string_view room) {
    return change_sessions([&](MemorySessions& kept) {
        const auto found = kept.rows.find(pid);
        if (found == kept.rows.end()) return;
        std::erase_if(found->second.rooms,
                      [room](const Membership& membership) { return membership.room == room; });
    });
}

Result<void, StoreError> MemoryStore::drop_session(std::string_view pid) {
    return change_sessions([&](MemorySessions& kept) { kept.rows.erase(std::string(pid)); });
}

Result<std::vector<std::string>, StoreError> MemoryStore::sessions_in(
    const std::vector<std::string>& rooms) {
    if (const auto error = fault(Call::read)) return Err{*error};
    std::vector<std::string> pids;
    for (const auto& [pid, row] : sessions().rows) {
        if (is_in_any(row, rooms)) pids.push_back(pid);
    }
    return pids;
}

Result<void, StoreError> MemoryStore::restart_sessions(UnixMillis now, Millis slack) {
    return change_sessions([now, slack](MemorySessions& kept) {
        for (auto& [pid, row] : kept.rows) {
            if (row.live || row.seen_at.value > now.value) row.seen_at = now;
            row.live = false;
        }
        const auto newest = kept.recorded.empty() ? now : kept.recorded.rbegin()->second.stored_at;
        if (kept.pruned.stored_at.value + slack.count() >= newest.value)
            kept.pruned.stored_at = now;
        for (auto& [offset, event] : kept.recorded) event.stored_at = now;
    });
}

Result<void, StoreError> MemoryStore::drop_sessions_unseen_since(UnixMillis before) {
    return change_sessions([before](MemorySessions& kept) {
        std::erase_if(kept.rows, [before](const auto& row) {
            return !row.second.live && row.second.seen_at.value < before.value;
        });
    });
}

Result<void, StoreError> MemoryStore::drop_all_sessions() {
    return change_sessions([](MemorySessions& kept) { kept.rows.clear(); });
}

Result<void, StoreError> MemoryStore::record(const RecordedEvent& event) {
    VERIFY(event.offset == head().offset + 1 && !event.rooms.empty());
    return change_sessions([&](MemorySessions& kept) {
        kept.recorded[event.offset] = event;
        head_ = event.offset;
    });
}

Result<std::vector<RecordedEvent>, StoreError> MemoryStore::read_recorded(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    if (!needs_reopen_) {
        if (const auto error = fault(Call::read)) return Err{*error};
    }
    std::vector<RecordedEvent> events;
    if (!disk_.tables.sessions) return events;
    const auto& recorded = disk_.tables.sessions->recorded;
    std::uint64_t bytes = 0;
    for (auto next = recorded.upper_bound(after);
         next != recorded.end() && events.size() < entries_max; ++next) {
        const auto& [offset, event] = *next;
        if (offset > committed_.offset) break;  // a commit in doubt
        const bool wanted =
            std::any_of(event.rooms.begin(), event.rooms.end(), [&](const auto& room) {
                return std::find(rooms.begin(), rooms.end(), room) != rooms.end();
            });
        if (!wanted) continue;
        bytes += event.bytes();
        if (!events.empty() && bytes > bytes_max) break;
        events.push_back(event);
    }
    return events;
}

Result<Pruned, StoreError> MemoryStore::prune_recorded(const RecordLimits& limits) {
    const auto done = change_sessions([&](MemorySessions& kept) {
        std::uint64_t bytes = 0;
        for (const auto& [offset, event] : kept.recorded) bytes += event.bytes();
        while (kept.recorded.size() > 1) {
            const RecordedEvent& oldest = kept.recorded.begin()->second;
            const bool stays = kept.recorded.size() <= limits.entries_max &&
                               bytes <= limits.bytes_max &&
                               oldest.stored_at.value >= limits.older_than.value;
            if (stays) return;
            bytes -= oldest.bytes();
            kept.pruned = {oldest.offset, oldest.stored_at};
            kept.recorded.erase(kept.recorded.begin());
        }
    });
    if (!done) return Err{done.error()};
    return sessions().pruned;
}

Result<Pruned, StoreError> MemoryStore::pruned() {
    if (const auto error = fault(Call::read)) return Err{*error};
    return sessions().pruned;
}

}  // namespace oncewire::store
