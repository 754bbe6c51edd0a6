#include "server/store/sqlite/log_table.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

namespace oncewire::store::sqlite {
namespace {

/// Prepared room cursors kept for the next read(); each costs about 2 kB.
constexpr std::size_t cursors_kept = 64;

}  // namespace

Result<void, Failure> LogTable::prepare(Database& database) {
    database_ = &database;
    const std::pair<Statement&, const char*> all[] = {
        {head_,
         "SELECT max(coalesce((SELECT max(offset) FROM log), 0),"
         " coalesce((SELECT max(offset) FROM recorded), 0))"},
        {epoch_, "SELECT epoch FROM meta"},
        {newest_in_room_,
         "SELECT max(offset) FROM log WHERE room = (SELECT id FROM rooms WHERE name = ?1)"
         " AND offset <= ?2"},
        {read_before_,
         "SELECT offset, room_seq, data, stored_at FROM log"
         " WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND offset < ?2 AND offset <= ?3"
         " ORDER BY offset DESC"},
        {find_entry_,
         "SELECT room_seq, data, stored_at, (SELECT max(offset) FROM log AS others"
         " WHERE others.room = log.room AND others.offset < ?2) FROM log"
         " WHERE offset = ?2 AND room = (SELECT id FROM rooms WHERE name = ?1)"},
        {trimmed_, "SELECT trimmed FROM rooms WHERE name = ?1"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database.prepare(sql);
        if (!prepared) return Err{prepared.error()};
        statement = std::move(*prepared);
    }
    return {};
}

Result<LogHead, Failure> LogTable::head() const {
    const auto failed = [](const Run& run) {
        return Err{Failure{*run.error(), error_text(*run.error())}};
    };
    const Run newest(head_);
    if (newest.error()) return failed(newest);
    const Run named(epoch_);
    if (named.error()) return failed(named);
    if (!named.has_row()) return Err{Failure{StoreError::corrupt, "it has lost its epoch"}};
    return LogHead{delivery::Epoch{named.text(0)}, newest.number(0)};
}

/// The entries of several rooms in log order: one cursor in each room, the one with the smallest offset
/// on top. Steps each room only as far as it is read.
class LogTable::RoomMerge {
  public:
    /// Entries after `after` up to and including `last`.
    RoomMerge(LogTable& table, delivery::Offset after, delivery::Offset last)
        : table_(table), after_(after), last_(last) {}
    ~RoomMerge();
    RoomMerge(const RoomMerge&) = delete;
    RoomMerge& operator=(const RoomMerge&) = delete;

    /// `name` must outlive this. Each room once.
    std::optional<StoreError> add(const std::string& name);
    bool is_empty() const { return heap_.empty(); }
    LogEntry front() const;
    std::optional<StoreError> pop();

  private:
    struct Cursor {
        Cursor(const std::string& name, const Statement& statement, delivery::Offset after,
               delivery::Offset last)
            : room(name), run(statement, std::string_view(name), after, last) {}
        const std::string& room;
        Run run;
        delivery::Offset before = 0;  // of the entry at hand
    };
    struct Place {
        delivery::Offset offset;
        Cursor* cursor;
        bool operator<(const Place& other) const { return offset > other.offset; }  // a min-heap
    };

    std::optional<StoreError> place(Cursor& cursor);

    LogTable& table_;
    delivery::Offset after_;
    delivery::Offset last_;
    std::deque<Cursor> cursors_;
    std::vector<Place> heap_;
};

LogTable::RoomMerge::~RoomMerge() {
    cursors_.clear();
    auto& kept = table_.room_cursors_;
    if (kept.size() > cursors_kept) kept.resize(cursors_kept);
}

std::optional<StoreError> LogTable::RoomMerge::add(const std::string& name) {
    auto& prepared = table_.room_cursors_;
    if (prepared.size() == cursors_.size()) {
        auto cursor = table_.database_->prepare(
            "SELECT offset, room_seq, data, stored_at FROM log"
            " WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND offset > ?2 AND offset <= ?3"
            " ORDER BY offset");
        if (!cursor) return cursor.error().error;
        prepared.push_back(std::move(*cursor));
    }
    const Statement& statement = prepared[cursors_.size()];
    Cursor& cursor = cursors_.emplace_back(name, statement, after_, last_);
    if (after_ > 0 && cursor.run.has_row()) {
        const Run newest(table_.newest_in_room_, std::string_view(name), after_);
        if (newest.error()) return newest.error();
        cursor.before = newest.number(0);
    }
    return place(cursor);
}

LogEntry LogTable::RoomMerge::front() const {
    const auto& [room, run, before] = *heap_.front().cursor;
    return {run.number(0), room, run.number(1), run.text(2), UnixMillis{run.integer(3)}, before};
}

std::optional<StoreError> LogTable::RoomMerge::pop() {
    std::pop_heap(heap_.begin(), heap_.end());
    Cursor& cursor = *heap_.back().cursor;
    heap_.pop_back();
    cursor.before = cursor.run.number(0);
    cursor.run.step();
    return place(cursor);
}

/// Puts a cursor that was just stepped where it belongs, unless its room is read to the end.
std::optional<StoreError> LogTable::RoomMerge::place(Cursor& cursor) {
    if (!cursor.run.has_row()) return cursor.run.error();
    heap_.push_back({cursor.run.number(0), &cursor});
    std::push_heap(heap_.begin(), heap_.end());
    return std::nullopt;
}

Result<std::vector<LogEntry>, StoreError> LogTable::read(const std::vector<std::string>& rooms,
                                                         delivery::Offset after,
                                                         delivery::Offset committed,
                                                         std::uint32_t entries_max,
                                                         std::uint64_t bytes_max) {
    const std::set<std::string> distinct(rooms.begin(), rooms.end());
    RoomMerge merge(*this, after, committed);
    for (const std::string& room : distinct) {
        if (const auto error = merge.add(room)) return Err{*error};
    }
    std::vector<LogEntry> entries;
    std::uint64_t bytes = 0;
    while (entries.size() < entries_max && !merge.is_empty()) {
        LogEntry entry = merge.front();
        bytes += entry.data.size();
        if (!entries.empty() && bytes > bytes_max) break;
        entries.push_back(std::move(entry));
        if (const auto error = merge.pop()) return Err{*error};
    }
    return entries;
}

Result<std::vector<LogEntry>, StoreError> LogTable::read_before(std::string_view room,
                                                                delivery::Offset before,
                                                                delivery::Offset committed,
                                                                std::uint32_t entries_max,
                                                                std::uint64_t bytes_max) const {
    std::vector<LogEntry> entries;
    std::uint64_t bytes = 0;
    Run run(read_before_, room, before, committed);
    for (; run.has_row(); run.step()) {
        if (!entries.empty()) entries.back().before = run.number(0);
        if (entries.size() == entries_max) break;
        LogEntry entry{run.number(0), std::string(room), run.number(1), run.text(2),
                       UnixMillis{run.integer(3)}};
        bytes += entry.data.size();
        if (!entries.empty() && bytes > bytes_max) break;
        entries.push_back(std::move(entry));
    }
    if (run.error()) return Err{*run.error()};
    return entries;
}

Result<std::optional<LogEntry>, StoreError> LogTable::find_entry(std::string_view room,
                                                                 delivery::Offset offset) const {
    const Run run(find_entry_, room, offset);
    if (run.error()) return Err{*run.error()};
    if (!run.has_row()) return std::optional<LogEntry>();
    return std::optional(LogEntry{offset, std::string(room), run.number(0), run.text(1),
                                  UnixMillis{run.integer(2)}, run.number(3)});
}

Result<delivery::Offset, StoreError> LogTable::trimmed_to(
    const std::vector<std::string>& rooms) const {
    delivery::Offset newest = 0;
    for (const auto& room : rooms) {
        const Run run(trimmed_, std::string_view(room));
        if (run.error()) return Err{*run.error()};
        if (run.has_row()) newest = std::max(newest, run.number(0));
    }
    return newest;
}

}  // namespace oncewire::store::sqlite
