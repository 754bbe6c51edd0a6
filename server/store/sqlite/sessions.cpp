#include "server/store/sqlite/sessions.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace oncewire::store::sqlite {
namespace {

/// Strings in one: each with its length in front, "5:hello".
std::string pack(const std::vector<std::string>& strings) {
    std::string packed;
    for (const auto& each : strings) packed += std::to_string(each.size()) + ':' + each;
    return packed;
}

/// As far as pack() wrote it.
std::vector<std::string> unpack(std::string_view packed) {
    std::vector<std::string> strings;
    while (!packed.empty()) {
        std::size_t size = 0;
        const auto read = std::from_chars(packed.data(), packed.data() + packed.size(), size);
        const auto start = static_cast<std::size_t>(read.ptr - packed.data()) + 1;
        if (read.ec != std::errc() || start > packed.size()) break;
        strings.emplace_back(packed.substr(start, size));
        packed.remove_prefix(std::min(packed.size(), start + size));
    }
    return strings;
}

bool is_before(const Membership& a, const Membership& b) { return a.room < b.room; }

}  // namespace

Result<void, Failure> SessionTables::prepare(Database& database) {
    const std::pair<Statement&, const char*> all[] = {
        {find_,
         "SELECT sid, nsp, user, from_epoch, from_offset, seen_at, live FROM sessions"
         " WHERE pid = ?1"},
        {rooms_of_, "SELECT room, since FROM session_rooms WHERE pid = ?1 ORDER BY room"},
        {put_,
         "INSERT OR REPLACE INTO sessions"
         " (pid, sid, nsp, user, from_epoch, from_offset, seen_at, live)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
        {join_,
         "INSERT OR IGNORE INTO session_rooms (pid, room, since)"
         " SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM sessions WHERE pid = ?1)"},
        {leave_, "DELETE FROM session_rooms WHERE pid = ?1 AND room = ?2"},
        {drop_, "DELETE FROM sessions WHERE pid = ?1"},
        {drop_rooms_, "DELETE FROM session_rooms WHERE pid = ?1"},
        {pids_in_, "SELECT pid FROM session_rooms WHERE room = ?1"},
        {restart_sessions_,
         "UPDATE sessions SET live = 0, seen_at = ?1 WHERE live = 1 OR seen_at > ?1"},
        {restart_pruned_,
         "UPDATE recording SET pruned_stored_at = ?1 WHERE pruned_stored_at + ?2 >="
         " coalesce((SELECT stored_at FROM recorded ORDER BY offset DESC LIMIT 1), ?1)"},
        {restart_recorded_, "UPDATE recorded SET stored_at = ?1"},
        {drop_unseen_rooms_,
         "DELETE FROM session_rooms WHERE pid IN"
         " (SELECT pid FROM sessions WHERE live = 0 AND seen_at < ?1)"},
        {drop_unseen_, "DELETE FROM sessions WHERE live = 0 AND seen_at < ?1"},
        {drop_all_, "DELETE FROM sessions"},
        {drop_all_rooms_, "DELETE FROM session_rooms"},
        {record_,
         "INSERT INTO recorded (offset, nsp, rooms, except_rooms, data, attachments, bytes,"
         " stored_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
        {record_for_, "INSERT OR IGNORE INTO recorded_for (room, offset) VALUES (?1, ?2)"},
        {offsets_for_,
         "SELECT offset FROM recorded_for WHERE room = ?1 AND offset > ?2 AND offset <= ?3"
         " ORDER BY offset LIMIT ?4"},
        {event_at_,
         "SELECT nsp, rooms, except_rooms, data, attachments, stored_at FROM recorded"
         " WHERE offset = ?1"},
        {total_, "SELECT entries, bytes FROM recording"},
        {oldest_, "SELECT offset, bytes, stored_at FROM recorded ORDER BY offset LIMIT 1"},
        {forget_, "DELETE FROM recorded WHERE offset = ?1"},
        {forget_for_, "DELETE FROM recorded_for WHERE offset = ?1"},
        {put_pruned_, "UPDATE recording SET pruned_to = ?1, pruned_stored_at = ?2"},
        {pruned_, "SELECT pruned_to, pruned_stored_at FROM recording"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database.prepare(sql);
        if (!prepared) return Err{prepared.error()};
        statement = std::move(*prepared);
    }
    return {};
}

// ---- sessions -----------------------------------------------------------------------------------

Result<std::optional<SessionRow>, StoreError> SessionTables::find(std::string_view pid) const {
    const Run found(find_, pid);
    if (found.error()) return Err{*found.error()};
    if (!found.has_row()) return std::optional<SessionRow>();
    SessionRow row;
    row.pid = pid;
    row.sid = found.text(0);
    row.nsp = found.text(1);
    row.user = found.text(2);
    row.from = {delivery::Epoch{found.text(3)}, found.number(4)};
    row.seen_at = {found.integer(5)};
    row.live = found.integer(6) != 0;
    Run rooms(rooms_of_, pid);
    for (; rooms.has_row(); rooms.step()) row.rooms.push_back({rooms.text(0), rooms.number(1)});
    if (rooms.error()) return Err{*rooms.error()};
    return std::optional(std::move(row));
}

/// Writes of its rooms only those that are others now: there may be very many.
std::optional<StoreError> SessionTables::change(std::string_view pid,
                                                const SessionChange& change) const {
    const auto& [before, after] = change;
    if (!after) return before ? drop(pid) : std::nullopt;
    if (const auto error = put(*after)) return error;
    const std::vector<Membership> none;
    const auto& old = before ? before->rooms : none;
    const auto has = [](const std::vector<Membership>& rooms, const Membership& room) {
        return std::binary_search(rooms.begin(), rooms.end(), room, is_before) &&
               *std::lower_bound(rooms.begin(), rooms.end(), room, is_before) == room;
    };
    for (const auto& room : old) {
        if (has(after->rooms, room)) continue;
        if (const auto error = leave(pid, room.room)) return error;
    }
    for (const auto& room : after->rooms) {
        if (has(old, room)) continue;
        if (const auto error = join(pid, room)) return error;
    }
    return std::nullopt;
}

std::optional<StoreError> SessionTables::put(const SessionRow& row) const {
    const std::int64_t live = row.live ? 1 : 0;
    return run(put_, std::string_view(row.pid), std::string_view(row.sid),
               std::string_view(row.nsp), std::string_view(row.user),
               std::string_view(row.from.epoch.text), row.from.offset, row.seen_at.value, live);
}

std::optional<StoreError> SessionTables::join(std::string_view pid, const Membership& room) const {
    return run(join_, pid, std::string_view(room.room), room.since);
}

std::optional<StoreError> SessionTables::leave(std::string_view pid, std::string_view room) const {
    return run(leave_, pid, room);
}

std::optional<StoreError> SessionTables::drop(std::string_view pid) const {
    if (const auto error = run(drop_rooms_, pid)) return error;
    return run(drop_, pid);
}

Result<std::vector<std::string>, StoreError> SessionTables::pids_in(
    const std::vector<std::string>& rooms) const {
    std::set<std::string> pids;
    for (const auto& room : rooms) {
        Run found(pids_in_, std::string_view(room));
        for (; found.has_row(); found.step()) pids.insert(found.text(0));
        if (found.error()) return Err{*found.error()};
    }
    return std::vector<std::string>(pids.begin(), pids.end());
}

std::optional<StoreError> SessionTables::restart(UnixMillis now, Millis slack) const {
    const std::int64_t patience = slack.count();
    if (const auto error = run(restart_sessions_, now.value)) return error;
    if (const auto error = run(restart_pruned_, now.value, patience)) return error;
    return run(restart_recorded_, now.value);
}

std::optional<StoreError> SessionTables::drop_unseen_since(UnixMillis before) const {
    if (const auto error = run(drop_unseen_rooms_, before.value)) return error;
    return run(drop_unseen_, before.value);
}

std::optional<StoreError> SessionTables::drop_all() const {
    if (const auto error = run(drop_all_rooms_)) return error;
    return run(drop_all_);
}

// ---- recorded events ----------------------------------------------------------------------------

std::optional<StoreError> SessionTables::record(const RecordedEvent& event) const {
    const std::string rooms = pack(event.rooms);
    const std::string except = pack(event.except);
    const std::string attachments = pack(event.attachments);
    if (const auto error =
            run(record_, event.offset, std::string_view(event.nsp), std::string_view(rooms),
                std::string_view(except), std::string_view(event.data),
                std::string_view(attachments), event.bytes(), event.stored_at.value)) {
        return error;
    }
    for (const auto& room : event.rooms) {
        if (const auto error = run(record_for_, std::string_view(room), event.offset)) return error;
    }
    return std::nullopt;
}

Result<std::vector<delivery::Offset>, StoreError> SessionTables::offsets_for(
    const std::vector<std::string>& rooms, delivery::Offset after, delivery::Offset committed,
    std::uint32_t entries_max) const {
    const std::int64_t limit = entries_max;
    std::set<delivery::Offset> offsets;
    for (const auto& room : rooms) {
        Run found(offsets_for_, std::string_view(room), after, committed, limit);
        for (; found.has_row(); found.step()) offsets.insert(found.number(0));
        if (found.error()) return Err{*found.error()};
    }
    std::vector<delivery::Offset> first(offsets.begin(), offsets.end());
    if (first.size() > entries_max) first.resize(entries_max);
    return first;
}

Result<std::vector<RecordedEvent>, StoreError> SessionTables::read(
    const std::vector<std::string>& rooms, delivery::Offset after, delivery::Offset committed,
    std::uint32_t entries_max, std::uint64_t bytes_max) const {
    const auto offsets = offsets_for(rooms, after, committed, entries_max);
    if (!offsets) return Err{offsets.error()};
    std::vector<RecordedEvent> events;
    std::uint64_t bytes = 0;
    for (const auto offset : *offsets) {
        const Run found(event_at_, offset);
        if (found.error()) return Err{*found.error()};
        if (!found.has_row()) return Err{StoreError::corrupt};
        RecordedEvent event{offset,
                            found.text(0),
                            unpack(found.text(1)),
                            unpack(found.text(2)),
                            found.text(3),
                            unpack(found.text(4)),
                            UnixMillis{found.integer(5)}};
        bytes += event.bytes();
        if (!events.empty() && bytes > bytes_max) break;
        events.push_back(std::move(event));
    }
    return events;
}

std::optional<StoreError> SessionTables::prune(const RecordLimits& limits) const {
    for (;;) {
        std::uint64_t entries = 0;
        std::uint64_t bytes = 0;
        {
            const Run total(total_);
            if (total.error()) return *total.error();
            entries = total.number(0);
            bytes = total.number(1);
        }
        if (entries <= 1) return std::nullopt;
        Pruned pruned;
        {
            const Run oldest(oldest_);
            if (oldest.error()) return *oldest.error();
            pruned = {oldest.number(0), UnixMillis{oldest.integer(2)}};
        }
        const bool stays = entries <= limits.entries_max && bytes <= limits.bytes_max &&
                           pruned.stored_at.value >= limits.older_than.value;
        if (stays) return std::nullopt;
        if (const auto error = run(forget_, pruned.to)) return error;
        if (const auto error = run(forget_for_, pruned.to)) return error;
        if (const auto error = run(put_pruned_, pruned.to, pruned.stored_at.value)) return error;
    }
}

Result<Pruned, StoreError> SessionTables::pruned() const {
    const Run found(pruned_);
    if (found.error()) return Err{*found.error()};
    return Pruned{found.number(0), UnixMillis{found.integer(1)}};
}

}  // namespace oncewire::store::sqlite
