#include "server/store/memory/memory_reading.hpp"

#include <algorithm>
#include <utility>

namespace oncewire::store {

Result<LogHead, StoreError> MemoryReading::look() { return disk_.head(); }

Result<std::vector<LogEntry>, StoreError> MemoryReading::read(const std::vector<std::string>& rooms,
                                                              delivery::Offset after,
                                                              std::uint32_t entries_max,
                                                              std::uint64_t bytes_max) {
    std::vector<LogEntry> entries;
    std::uint64_t bytes = 0;
    for (const delivery::Offset offset : offsets_after(rooms, after, entries_max)) {
        LogEntry entry = as_kept(*entry_at(offset));
        bytes += entry.data.size();
        if (!entries.empty() && bytes > bytes_max) break;
        entries.push_back(std::move(entry));
    }
    return entries;
}

Result<std::vector<LogEntry>, StoreError> MemoryReading::read_before(std::string_view room,
                                                                     delivery::Offset before,
                                                                     std::uint32_t entries_max,
                                                                     std::uint64_t bytes_max) {
    std::vector<LogEntry> entries;
    const auto found = disk_.tables.rooms.find(room);
    if (found == disk_.tables.rooms.end()) return entries;
    const auto& offsets = found->second;
    std::uint64_t bytes = 0;
    auto at = std::lower_bound(offsets.begin(), offsets.end(), before);
    while (at != offsets.begin() && entries.size() < entries_max) {
        if (*--at <= disk_.tables.trimmed_in(room)) break;
        LogEntry entry = as_kept(*entry_at(*at));
        bytes += entry.data.size();
        if (!entries.empty() && bytes > bytes_max) break;
        entries.push_back(std::move(entry));
    }
    return entries;
}

Result<std::optional<LogEntry>, StoreError> MemoryReading::find_entry(std::string_view room,
                                                                      delivery::Offset offset) {
    const LogEntry* entry = entry_at(offset);
    const bool is_it = entry && entry->room == room && offset > disk_.tables.trimmed_in(room);
    return is_it ? std::optional(as_kept(*entry)) : std::nullopt;
}

Result<delivery::Offset, StoreError> MemoryReading::trimmed_to(
    const std::vector<std::string>& rooms) {
    delivery::Offset newest = 0;
    for (const auto& room : rooms) newest = std::max(newest, disk_.tables.trimmed_in(room));
    return newest;
}

Result<std::optional<SessionRow>, StoreError> MemoryReading::find_session(std::string_view pid) {
    const auto& rows = disk_.tables.sessions.rows;
    const auto found = rows.find(pid);
    return found == rows.end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<RecordedEvent>, StoreError> MemoryReading::read_recorded(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    std::vector<RecordedEvent> events;
    const auto& recorded = disk_.tables.sessions.recorded;
    std::uint64_t bytes = 0;
    for (auto next = recorded.upper_bound(after);
         next != recorded.end() && events.size() < entries_max; ++next) {
        const RecordedEvent& event = next->second;
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

Result<Pruned, StoreError> MemoryReading::pruned() { return disk_.tables.sessions.pruned; }

Result<std::vector<SqlRow>, SqlError> MemoryReading::run_sql(std::string_view,
                                                             const std::vector<SqlValue>&) {
    return Err{SqlError{std::nullopt, false, "a store in memory keeps no tables for applications"}};
}

/// Null: there is none.
const LogEntry* MemoryReading::entry_at(delivery::Offset offset) const {
    const auto& log = disk_.tables.log;
    const auto found = std::lower_bound(
        log.begin(), log.end(), offset,
        [](const LogEntry& one, delivery::Offset wanted) { return one.offset < wanted; });
    return found != log.end() && found->offset == offset ? &*found : nullptr;
}

/// What was before it may have been trimmed since.
LogEntry MemoryReading::as_kept(LogEntry entry) const {
    if (entry.before <= disk_.tables.trimmed_in(entry.room)) entry.before = 0;
    return entry;
}

/// The next `entries_max` offsets of all these rooms together, in order.
std::vector<delivery::Offset> MemoryReading::offsets_after(const std::vector<std::string>& rooms,
                                                           delivery::Offset after,
                                                           std::uint32_t entries_max) const {
    const auto limit = static_cast<std::ptrdiff_t>(std::min(entries_max, 1u << 30));
    std::vector<delivery::Offset> result;
    for (const std::string& room : rooms) {
        const auto found = disk_.tables.rooms.find(room);
        if (found == disk_.tables.rooms.end()) continue;
        const auto& offsets = found->second;
        const auto beyond = std::max(after, disk_.tables.trimmed_in(room));
        const auto first = std::upper_bound(offsets.begin(), offsets.end(), beyond);
        result.insert(result.end(), first,
                      offsets.end() - first > limit ? first + limit : offsets.end());
    }
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    if (result.size() > entries_max) result.resize(entries_max);
    return result;
}

}  // namespace oncewire::store
