// VERIFY here: the sequencer begins, writes and ends in order, whatever a peer makes it write.
#include "server/store/sqlite/store.hpp"

#include <algorithm>
#include <utility>

#include "server/store/sqlite/backup.hpp"
#include "server/store/sqlite/connection.hpp"
#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/files.hpp"
#include "server/store/sqlite/schema.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::store {
namespace {

using sqlite::Failure;
using sqlite::Run;

constexpr const char* memory_path = ":memory:";
/// Rooms and producers remembered: 65,536 of each are about ten megabytes.
constexpr std::size_t remembered_max = 65'536;

std::string lost_messages(const LogHead& found, const LogHead& known) {
    return "it has lost messages that were stored: it ends at " + std::to_string(found.offset) +
           ", and had got to " + std::to_string(known.offset) +
           ". Keep all its files; if an older copy was put back on purpose, start once with "
           "--restored";
}

/// Something was stored in it, whatever the file looks like now.
bool was_used(const std::string& path) {
    if (path == memory_path) return false;
    const auto known = sqlite::HeadMark(path, sqlite::HeadMark::Use::inspect).read();
    return known && known->offset > 0;
}

SqliteStore::OpenError sentence_for(const std::string& path, const Failure& failure) {
    return {failure.error, "cannot open the database '" + path + "': " + failure.reason};
}

}  // namespace

Result<std::unique_ptr<SqliteStore>, SqliteStore::OpenError> SqliteStore::open(
    const std::string& path, const delivery::Epoch& epoch_if_new) {
    return open(path, epoch_if_new, Options());
}

Result<std::unique_ptr<SqliteStore>, SqliteStore::OpenError> SqliteStore::open(
    const std::string& path, const delivery::Epoch& epoch_if_new, Options options) {
    if (path != memory_path) {
        if (const auto made = sqlite::make_file(path); !made) {
            return Err{sentence_for(path, made.error())};
        }
    }
    auto connection = Connection::open(
        path, {&epoch_if_new, options.restored || !was_used(path), options.durability});
    if (!connection) return Err{sentence_for(path, connection.error())};
    const sqlite::UnflushedMark unflushed(path);
    if (options.restored || unflushed.is_of_earlier_boot()) {
        const auto renamed = sqlite::replace_epoch((*connection)->database, epoch_if_new);
        if (!renamed) return Err{sentence_for(path, renamed.error())};
    }
    std::unique_ptr<SqliteStore> store(new SqliteStore(path, options, std::move(*connection)));
    if (const auto loaded = store->load(); !loaded) return Err{sentence_for(path, loaded.error())};
    if (options.durability == Durability::disk) {
        unflushed.clear();  // load() has flushed what was there
    } else if (path != memory_path) {
        if (!unflushed.set())
            return Err{sentence_for(path, {StoreError::io, "nothing can be written beside it"})};
        store->unflushed_ = std::make_unique<sqlite::UnflushedMark>(unflushed);
    }
    if (store->ballast_) store->ballast_->restore();
    return store;
}

SqliteStore::SqliteStore(std::string path, Options options, std::unique_ptr<Connection> connection)
    : path_(std::move(path)), options_(options), connection_(std::move(connection)) {
    if (path_ == memory_path) return;
    mark_ = std::make_unique<sqlite::HeadMark>(path_);
    if (options_.ballast_bytes > 0) {
        ballast_ = std::make_unique<sqlite::Ballast>(path_, options_.ballast_bytes);
    }
}

SqliteStore::~SqliteStore() {
    for (const auto& door : doors_) door->close();
    if (!unflushed_) return;
    backup_.reset();
    connection_.reset();
    sqlite::flush_file(path_ + "-wal");  // there if somebody else has the database open
    if (sqlite::flush_file(path_)) unflushed_->clear();
}

Durability SqliteStore::durability() const {
    return path_ == memory_path ? Durability::memory : options_.durability;
}

Result<void, StoreError> SqliteStore::begin() {
    VERIFY(!in_transaction_);
    if (broken_) return Err{*broken_};
    if (!has_space()) return Err{StoreError::full};
    if (rooms_.size() > remembered_max) rooms_.clear();
    if (producer_numbers_.size() > remembered_max) producer_numbers_.clear();
    if (const auto error = Run(connection_->begin).error()) return Err{*error};
    in_transaction_ = true;
    return {};
}

CommitOutcome SqliteStore::commit() {
    VERIFY(in_transaction_);
    VERIFY(broken_ || unbound_producers_.empty());
    if (!broken_ && keep_marked() && write_rooms() && !Run(connection_->commit).error()) {
        in_transaction_ = false;
        if (mark_ && head_.offset > committed_.offset) mark_->write(head_);
        committed_ = head_;
        return CommitOutcome::committed;
    }
    rollback();
    needs_reopen_ = true;
    broken_ = StoreError::io;
    return CommitOutcome::unknown;
}

void SqliteStore::rollback() {
    if (!in_transaction_) return;
    // Some errors have ended it already.
    if (connection_->database.in_transaction()) Run(connection_->rollback);
    in_transaction_ = false;
    broken_.reset();
    head_ = committed_;
    forget_rows();
}

Result<void, StoreError> SqliteStore::reopen() {
    rollback();
    needs_reopen_ = true;
    broken_ = StoreError::io;
    forget_rows();
    // What is in memory would be gone, and has no disk that could have failed.
    if (path_ != memory_path) {
        for (const auto& door : doors_) door->close();
        backup_.reset();
        connection_.reset();
        auto opened = Connection::open(path_, {nullptr, false, options_.durability});
        if (!opened) return Err{opened.error().error};
        connection_ = std::move(*opened);
    }
    if (const auto loaded = load(); !loaded) return Err{loaded.error().error};
    needs_reopen_ = false;
    broken_.reset();
    for (const auto& door : doors_) door->open();
    return {};
}

std::unique_ptr<Reading> SqliteStore::open_reading() {
    if (path_ == memory_path) return nullptr;
    return std::make_unique<SqliteReading>(
        doors_.emplace_back(std::make_shared<SqliteReading::Door>(path_)));
}

Result<delivery::Offset, StoreError> SqliteStore::append(const LogEntry& entry) {
    VERIFY(in_transaction_);
    VERIFY(entry.offset == head_.offset + 1);
    const auto found = find_room(entry.room);
    if (!found) return Err{found.error()};
    auto* room = *found;
    if (!room) room = &*rooms_.emplace(entry.room, Room{++last_room_id_}).first;
    VERIFY(entry.room_seq == room->second.last_seq + 1);

    WaitingEntry waiting{entry, room->second.id};
    if (has_mark_ && !has_savepoint_) {
        waiting_.emplace_back(std::move(waiting));
    } else if (const auto written = write(waiting); !written) {
        return Err{written.error()};
    }
    if (has_mark_) touched_rooms_.emplace_back(room, room->second);
    head_.offset = entry.offset;
    room->second.last_seq = entry.room_seq;
    if (!std::exchange(room->second.changed, true)) changed_rooms_.push_back(room);
    return std::exchange(room->second.newest, entry.offset);
}

Result<std::uint64_t, StoreError> SqliteStore::next_room_seq(std::string_view room) {
    const auto found = find_room(std::string(room));
    if (!found) return Err{found.error()};
    return *found ? (*found)->second.last_seq + 1 : 1;
}

Result<std::optional<LogEntry>, StoreError> SqliteStore::find_entry(std::string_view room,
                                                                    delivery::Offset offset) {
    const auto known = find_room(std::string(room));
    if (!known) return Err{known.error()};
    if (!*known) return std::optional<LogEntry>();
    if (const auto seen = see_waiting(); !seen) return Err{seen.error()};
    auto entry = connection_->log.find_entry(room, (*known)->second.id, offset);
    if (!entry) return fail(entry.error());
    return entry;
}

Result<bool, StoreError> SqliteStore::rewrite(std::string_view room, delivery::Offset offset,
                                              std::string_view data) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened) return Err{opened.error()};
    const auto found = find_entry(room, offset);
    if (!found) return Err{found.error()};
    if (!*found) return false;
    const Run run(connection_->rewrite, offset, data);
    if (run.error()) return fail(*run.error());
    return true;
}

// What is committed stays readable while a commit is in doubt; what is in doubt lies beyond head().

Result<std::vector<LogEntry>, StoreError> SqliteStore::read(const std::vector<std::string>& rooms,
                                                            delivery::Offset after,
                                                            std::uint32_t entries_max,
                                                            std::uint64_t bytes_max) {
    if (is_unreadable()) return Err{*broken_};
    auto entries = connection_->log.read(rooms, after, committed_.offset, entries_max, bytes_max);
    if (!entries) return fail(entries.error());
    return entries;
}

Result<std::vector<LogEntry>, StoreError> SqliteStore::read_before(std::string_view room,
                                                                   delivery::Offset before,
                                                                   std::uint32_t entries_max,
                                                                   std::uint64_t bytes_max) {
    if (is_unreadable()) return Err{*broken_};
    auto entries =
        connection_->log.read_before(room, before, committed_.offset, entries_max, bytes_max);
    if (!entries) return fail(entries.error());
    return entries;
}

Result<delivery::Offset, StoreError> SqliteStore::trimmed_to(
    const std::vector<std::string>& rooms) {
    if (is_unreadable()) return Err{*broken_};
    const auto newest = connection_->log.trimmed_to(rooms);
    if (!newest) return fail(newest.error());
    return *newest;
}

Result<bool, StoreError> SqliteStore::erase_traces() {
    VERIFY(!in_transaction_);
    if (broken_) return Err{*broken_};
    const auto emptied = connection_->database.empty_log();
    if (!emptied) return Err{emptied.error().error};
    return *emptied;
}

Result<std::vector<OnceRow>, StoreError> SqliteStore::find_once(std::string_view id,
                                                                std::string_view scope,
                                                                std::string_view body) {
    if (const auto seen = see_waiting(); !seen) return Err{seen.error()};
    std::vector<OnceRow> rows;
    const auto add = [&rows](const Run& run) {
        if (!run.has_row()) return;
        OnceRow row{run.text(2), run.text(1), run.number(0)};
        if (rows.empty() || !(rows.back() == row)) rows.push_back(std::move(row));
    };
    const Run oldest(connection_->once_oldest, id);
    if (oldest.error()) return fail(*oldest.error());
    add(oldest);
    if (rows.empty()) return rows;

    if (rows.front().scope != scope) {
        const Run run(connection_->once_by_scope, id, scope);
        if (run.error()) return fail(*run.error());
        add(run);
    }
    if (rows.front().body != body) {
        const Run run(connection_->once_by_body, id, body);
        if (run.error()) return fail(*run.error());
        add(run);
    }
    std::sort(rows.begin(), rows.end(),
              [](const OnceRow& a, const OnceRow& b) { return a.offset < b.offset; });
    return rows;
}

Result<void, StoreError> SqliteStore::put_once(std::string_view id, const OnceRow& row) {
    VERIFY(in_transaction_);
    if (broken_) return Err{*broken_};
    WaitingOnce waiting{std::string(id), row};
    if (!has_mark_ || has_savepoint_) return write(waiting);
    waiting_.emplace_back(std::move(waiting));
    return {};
}

// ---- what recovery keeps ------------------------------------------------------------------------

template <class Change>
Result<void, StoreError> SqliteStore::change_sessions(Change change) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened) return opened;
    if (const std::optional<StoreError> error = change()) return fail(*error);
    return {};
}

template <class Look>
auto SqliteStore::look_at_sessions(Look look) -> decltype(look()) {
    if (broken_) return Err{*broken_};
    auto seen = look();
    if (!seen) return fail(seen.error());
    return seen;
}

Result<std::optional<SessionRow>, StoreError> SqliteStore::find_session(std::string_view pid) {
    return look_at_sessions([&] { return connection_->sessions.find(pid); });
}

Result<void, StoreError> SqliteStore::put_session(const SessionRow& row) {
    return change_sessions([&] { return connection_->sessions.put(row); });
}

Result<void, StoreError> SqliteStore::join_session(std::string_view pid, const Membership& room) {
    return change_sessions([&] { return connection_->sessions.join(pid, room); });
}

Result<void, StoreError> SqliteStore::leave_session(std::string_view pid, std::string_view room) {
    return change_sessions([&] { return connection_->sessions.leave(pid, room); });
}

Result<void, StoreError> SqliteStore::drop_session(std::string_view pid) {
    return change_sessions([&] { return connection_->sessions.drop(pid); });
}

Result<std::vector<std::string>, StoreError> SqliteStore::sessions_in(
    const std::vector<std::string>& rooms) {
    return look_at_sessions([&] { return connection_->sessions.pids_in(rooms); });
}

Result<void, StoreError> SqliteStore::restart_sessions(UnixMillis now, Millis slack) {
    return change_sessions([&] { return connection_->sessions.restart(now, slack); });
}

Result<void, StoreError> SqliteStore::drop_sessions_unseen_since(UnixMillis before) {
    return change_sessions([&] { return connection_->sessions.drop_unseen_since(before); });
}

Result<void, StoreError> SqliteStore::drop_all_sessions() {
    return change_sessions([&] { return connection_->sessions.drop_all(); });
}

Result<void, StoreError> SqliteStore::record(const RecordedEvent& event) {
    VERIFY(event.offset == head_.offset + 1 && !event.rooms.empty());
    auto done = change_sessions([&] { return connection_->sessions.record(event); });
    if (done) head_.offset = event.offset;
    return done;
}

Result<std::vector<RecordedEvent>, StoreError> SqliteStore::read_recorded(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    if (is_unreadable()) return Err{*broken_};
    auto events =
        connection_->sessions.read(rooms, after, committed_.offset, entries_max, bytes_max);
    if (!events) return fail(events.error());
    return events;
}

Result<Pruned, StoreError> SqliteStore::prune_recorded(const RecordLimits& limits) {
    const auto done = change_sessions([&] { return connection_->sessions.prune(limits); });
    if (!done) return Err{done.error()};
    return pruned();
}

Result<Pruned, StoreError> SqliteStore::pruned() {
    return look_at_sessions([&] { return connection_->sessions.pruned(); });
}

/// A failed call spoils its transaction: see Store.
Err<StoreError> SqliteStore::fail(StoreError error) {
    if (in_transaction_) broken_ = error;
    return Err{error};
}

Result<void, SqliteStore::OpenError> SqliteStore::begin_backup(const std::string& to) {
    if (backup_) return Err{OpenError{StoreError::busy, "a backup is being made already"}};
    if (!connection_) return Err{sentence_for(path_, {StoreError::io, "it is not open"})};
    auto begun = SqliteBackup::begin(connection_->database, to);
    if (!begun) return Err{begun.error()};
    backup_ = std::move(*begun);
    return {};
}

Result<bool, SqliteStore::OpenError> SqliteStore::step_backup() {
    VERIFY(!in_transaction_);
    if (!backup_) {
        return Err{OpenError{StoreError::io, "the database had to be reopened; start again"}};
    }
    auto stepped = backup_->step();
    if (!stepped || *stepped) backup_.reset();
    return stepped;
}

/// Makes what the file holds the committed state, durably.
Result<void, Failure> SqliteStore::load() {
    auto& database = connection_->database;
    if (const auto written = database.rewrite_log(); !written) return written;
    const auto found = connection_->log.head();
    if (!found) return Err{found.error()};
    const auto last_room = database.integer("SELECT max(id) FROM rooms");
    if (!last_room) return Err{last_room.error()};
    const auto last_producer = database.integer("SELECT max(id) FROM producers");
    if (!last_producer) return Err{last_producer.error()};
    const auto last_task = database.integer("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'");
    if (!last_task) return Err{last_task.error()};
    const auto last_question =
        database.integer("SELECT seq FROM sqlite_sequence WHERE name = 'questions'");
    if (!last_question) return Err{last_question.error()};
    const auto newest = newest_known();
    if (newest && found->epoch == newest->epoch && found->offset < newest->offset) {
        // To go on would give the offsets of durable messages to other messages.
        return Err{Failure{StoreError::corrupt, lost_messages(*found, *newest)}};
    }
    committed_ = head_ = *found;
    // Both slots: one of another history must not be taken for the newer one.
    for (int slot = 0; mark_ && slot < 2; ++slot) mark_->write(head_);
    database.tidy_at_end();
    last_room_id_ = *last_room;
    last_producer_number_ = *last_producer;
    last_task_ = std::max(last_task_, static_cast<std::uint64_t>(*last_task));
    last_question_ = std::max(last_question_, static_cast<std::uint64_t>(*last_question));
    return {};
}

/// How far the log had got, as this process or an earlier one saw it.
std::optional<LogHead> SqliteStore::newest_known() const {
    if (!committed_.epoch.text.empty()) return committed_;
    return mark_ ? mark_->read() : std::nullopt;
}

/// Without the ballast messages wait until there is room for it again, so that the store does not swing
/// between full and not.
bool SqliteStore::has_space() {
    if (path_ == memory_path) return true;
    const std::uint64_t free = sqlite::free_bytes_beside(path_);
    if (free < options_.free_bytes_min) {
        if (ballast_) ballast_->drop();
        return false;
    }
    return true;
}

Result<SqliteStore::NamedRoom*, StoreError> SqliteStore::find_room(const std::string& name) {
    using Found = NamedRoom*;
    if (broken_) return Err{*broken_};
    if (const auto cached = rooms_.find(name); cached != rooms_.end()) return Found(&*cached);
    const Run run(connection_->find_room, std::string_view(name));
    if (run.error()) return fail(*run.error());
    if (!run.has_row()) return Found(nullptr);
    return Found(&*rooms_.emplace(name, Room{run.integer(0), run.number(1), run.number(2)}).first);
}

bool SqliteStore::write_rooms() {
    for (NamedRoom* each : changed_rooms_) {
        auto& [name, room] = *each;
        const Run run(connection_->put_room, room.id, std::string_view(name), room.last_seq);
        if (run.error()) return false;
        room.changed = false;
    }
    changed_rooms_.clear();
    return true;
}

void SqliteStore::forget_rows() {
    has_mark_ = has_savepoint_ = false;
    waiting_.clear();
    rooms_.clear();
    changed_rooms_.clear();
    touched_rooms_.clear();
    producer_numbers_.clear();
    unbound_producers_.clear();
}

}  // namespace oncewire::store
