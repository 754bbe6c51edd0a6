// Reading the log: of several rooms at once, forwards, and of one, backwards.
#include <algorithm>
#include <deque>
#include <set>

#include "server/store/sqlite/connection.hpp"
#include "server/store/sqlite/store.hpp"

namespace oncewire::store {
namespace {

using sqlite::Run;
using sqlite::Statement;

/// Prepared room cursors kept for the next read(); each costs about 2 kB.
constexpr std::size_t cursors_kept = 64;

}  // namespace

/// The entries of several rooms in log order: one cursor in each room, the one with the smallest offset
/// on top. Steps each room only as far as it is read.
class SqliteStore::RoomMerge {
  public:
    /// Entries after `after` up to and including `last`.
    RoomMerge(Connection& connection, delivery::Offset after, delivery::Offset last)
        : connection_(connection), after_(after), last_(last) {}
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

    Connection& connection_;
    delivery::Offset after_;
    delivery::Offset last_;
    std::deque<Cursor> cursors_;
    std::vector<Place> heap_;
};

SqliteStore::RoomMerge::~RoomMerge() {
    cursors_.clear();
    auto& kept = connection_.room_cursors;
    if (kept.size() > cursors_kept) kept.resize(cursors_kept);
}

std::optional<StoreError> SqliteStore::RoomMerge::add(const std::string& name) {
    auto& prepared = connection_.room_cursors;
    if (prepared.size() == cursors_.size()) {
        auto cursor = connection_.database.prepare(
            "SELECT offset, room_seq, data, stored_at FROM log"
            " WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND offset > ?2 AND offset <= ?3"
            " ORDER BY offset");
        if (!cursor) return cursor.error().error;
        prepared.push_back(std::move(*cursor));
    }
    const Statement& statement = prepared[cursors_.size()];
    Cursor& cursor = cursors_.emplace_back(name, statement, after_, last_);
    if (after_ > 0 && cursor.run.has_row()) {
        const Run newest(connection_.newest_in_room, std::string_view(name), after_);
        if (newest.error()) return newest.error();
        cursor.before = newest.number(0);
    }
    return place(cursor);
}

LogEntry SqliteStore::RoomMerge::front() const {
    const auto& [room, run, before] = *heap_.front().cursor;
    return {run.number(0), room, run.number(1), run.text(2), UnixMillis{run.integer(3)}, before};
}

std::optional<StoreError> SqliteStore::RoomMerge::pop() {
    std::pop_heap(heap_.begin(), heap_.end());
    Cursor& cursor = *heap_.back().cursor;
    heap_.pop_back();
    cursor.before = cursor.run.number(0);
    cursor.run.step();
    return place(cursor);
}

/// Puts a cursor that was just stepped where it belongs, unless its room is read to the end.
std::optional<StoreError> SqliteStore::RoomMerge::place(Cursor& cursor) {
    if (!cursor.run.has_row()) return cursor.run.error();
    heap_.push_back({cursor.run.number(0), &cursor});
    std::push_heap(heap_.begin(), heap_.end());
    return std::nullopt;
}

Result<std::vector<LogEntry>, StoreError> SqliteStore::read(const std::vector<std::string>& rooms,
                                                            delivery::Offset after,
                                                            std::uint32_t entries_max,
                                                            std::uint64_t bytes_max) {
    // What is committed stays readable while a commit is in doubt; what is in doubt lies beyond head().
    if (broken_ && !(needs_reopen_ && connection_)) return Err{*broken_};
    const std::set<std::string> distinct(rooms.begin(), rooms.end());
    RoomMerge merge(*connection_, after, committed_.offset);
    for (const std::string& room : distinct) {
        if (const auto error = merge.add(room)) return fail(*error);
    }
    std::vector<LogEntry> entries;
    std::uint64_t bytes = 0;
    while (entries.size() < entries_max && !merge.is_empty()) {
        LogEntry entry = merge.front();
        bytes += entry.data.size();
        if (!entries.empty() && bytes > bytes_max) break;
        entries.push_back(std::move(entry));
        if (const auto error = merge.pop()) return fail(*error);
    }
    return entries;
}

Result<std::vector<LogEntry>, StoreError> SqliteStore::read_before(std::string_view room,
                                                                   delivery::Offset before,
                                                                   std::uint32_t entries_max,
                                                                   std::uint64_t bytes_max) {
    if (broken_ && !(needs_reopen_ && connection_)) return Err{*broken_};
    std::vector<LogEntry> entries;
    std::uint64_t bytes = 0;
    Run run(connection_->read_before, room, before, committed_.offset);
    for (; run.has_row(); run.step()) {
        if (!entries.empty()) entries.back().before = run.number(0);
        if (entries.size() == entries_max) break;
        LogEntry entry{run.number(0), std::string(room), run.number(1), run.text(2),
                       UnixMillis{run.integer(3)}};
        bytes += entry.data.size();
        if (!entries.empty() && bytes > bytes_max) break;
        entries.push_back(std::move(entry));
    }
    if (run.error()) return fail(*run.error());
    return entries;
}

}  // namespace oncewire::store
