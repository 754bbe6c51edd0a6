#include "server/store/sqlite_store.hpp"

#include <algorithm>
#include <deque>

#include "server/store/sqlite_backup.hpp"
#include "server/store/sqlite_connection.hpp"
#include "server/store/sqlite_database.hpp"
#include "server/store/sqlite_files.hpp"
#include "server/store/sqlite_schema.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::store {
namespace {

using sqlite::Failure;
using sqlite::Run;
using sqlite::Statement;

constexpr const char* memory_path = ":memory:";
/// Rooms and producers remembered: 65,536 of each are about ten megabytes.
constexpr std::size_t remembered_max = 65'536;
/// Prepared room cursors kept for the next read(); each costs about 2 kB.
constexpr std::size_t cursors_kept = 64;

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

Result<std::unique_ptr<SqliteStore::Connection>, Failure> SqliteStore::Connection::open(
    const std::string& path, const sqlite::Opening& opening) {
    auto database = sqlite::Database::open(path);
    if (!database) return Err{database.error()};
    if (const auto done = sqlite::prepare_schema(*database, opening); !done) {
        return Err{done.error()};
    }
    auto made = std::make_unique<Connection>(std::move(*database));
    if (const auto done = made->prepare_all(); !done) return Err{done.error()};
    return made;
}

Result<void, Failure> SqliteStore::Connection::prepare_all() {
    const std::pair<Statement&, const char*> all[] = {
        {begin, "BEGIN IMMEDIATE"},
        {commit, "COMMIT"},
        {rollback, "ROLLBACK"},
        {find_room,
         "SELECT id, last_seq, (SELECT max(offset) FROM log WHERE room = rooms.id) FROM rooms"
         " WHERE name = ?1"},
        {put_room,
         "INSERT INTO rooms (id, name, last_seq) VALUES (?1, ?2, ?3)"
         " ON CONFLICT (id) DO UPDATE SET last_seq = ?3"},
        {append,
         "INSERT INTO log (offset, room, room_seq, data, stored_at) VALUES (?1, ?2, ?3, ?4, ?5)"},
        {newest_in_room,
         "SELECT max(offset) FROM log WHERE room = (SELECT id FROM rooms WHERE name = ?1)"
         " AND offset <= ?2"},
        {read_before,
         "SELECT offset, room_seq, data, stored_at FROM log"
         " WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND offset < ?2 AND offset <= ?3"
         " ORDER BY offset DESC"},
        {find_producer,
         "SELECT id, secret, epoch, last, last_digest, last_contact, user, forgotten FROM producers"
         " WHERE name = ?1"},
        {put_producer,
         "INSERT INTO producers (id, name, secret, epoch, last, last_digest, last_contact, user,"
         " forgotten) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET"
         " secret = ?3, epoch = ?4, last = ?5, last_digest = ?6, last_contact = ?7, user = ?8,"
         " forgotten = ?9"},
        {find_verdict,
         "SELECT digest, kind, body, first, entries FROM verdicts"
         " WHERE producer = ?1 AND sequence = ?2"},
        // Left to itself the planner walks through all verdicts of the producer.
        {verdict_by_digest,
         "SELECT digest, kind, body, first, entries FROM verdicts INDEXED BY verdicts_by_digest"
         " WHERE producer = ?1 AND digest = ?2 LIMIT 1"},
        {put_verdict,
         "INSERT OR REPLACE INTO verdicts (producer, sequence, digest, kind, body, first, entries)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
        {once_oldest, "SELECT offset, scope, body FROM once WHERE id = ?1 ORDER BY offset LIMIT 1"},
        {once_by_scope,
         "SELECT offset, scope, body FROM once WHERE collides = 1 AND id = ?1 AND scope = ?2"
         " ORDER BY offset LIMIT 1"},
        {once_by_body,
         "SELECT offset, scope, body FROM once WHERE collides = 1 AND id = ?1 AND body = ?2"
         " ORDER BY offset LIMIT 1"},
        {put_once,
         "INSERT INTO once (id, offset, scope, body, collides)"
         " VALUES (?1, ?2, ?3, ?4, EXISTS (SELECT 1 FROM once WHERE id = ?1))"},
        {mark, "SAVEPOINT message"},
        {undo, "ROLLBACK TO message"},
        {release, "RELEASE message"},
        {put_task, "INSERT INTO tasks (id, key, name, payload) VALUES (?1, ?2, ?3, ?4)"},
        {erase_task, "DELETE FROM tasks WHERE id = ?1"},
        {tasks, "SELECT id, key, name, payload FROM tasks WHERE id > ?1 ORDER BY id LIMIT ?2"},
        {put_question,
         "INSERT INTO questions (id, recipient, key, nsp, data, expires_at)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
        {erase_question, "DELETE FROM questions WHERE id = ?1"},
        {find_question,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions WHERE key = ?1"},
        {questions_to,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions"
         " WHERE recipient = ?1 AND id > ?2 ORDER BY id LIMIT ?3"},
        {count_questions, "SELECT count(*) FROM questions WHERE recipient = ?1"},
        {expiring_questions,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions"
         " WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2"},
        {next_room, "SELECT id, name, last_seq FROM rooms WHERE id > ?1 ORDER BY id LIMIT 1"},
        {oldest_in_room,
         "SELECT offset, room_seq, stored_at FROM log WHERE room = ?1 ORDER BY offset LIMIT ?2"},
        {trim_room, "DELETE FROM log WHERE room = ?1 AND offset <= ?2"},
        {set_trimmed, "UPDATE rooms SET trimmed = ?2, trimmed_seq = ?3 WHERE id = ?1"},
        {trimmed_in_room, "SELECT trimmed FROM rooms WHERE name = ?1"},
        {idle_producers,
         "SELECT name FROM producers WHERE forgotten < last AND last_contact <= ?1"
         " ORDER BY last_contact LIMIT ?2"},
        {renew_producer, "UPDATE producers SET last_contact = ?2 WHERE name = ?1"},
        {forget_verdicts, "DELETE FROM verdicts WHERE producer = ?1 AND sequence <= ?2"},
        {set_forgotten, "UPDATE producers SET forgotten = ?2 WHERE id = ?1"},
        {entries_at,
         "SELECT offset, name, room_seq, data, stored_at FROM log JOIN rooms ON rooms.id = room"
         " WHERE offset >= ?1 AND offset < ?2 ORDER BY offset"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database.prepare(sql);
        if (!prepared) return Err{prepared.error()};
        statement = std::move(*prepared);
    }
    return sessions.prepare(database);
}

Result<LogHead, Failure> SqliteStore::Connection::read_head() {
    const auto offset = database.integer(
        "SELECT max(coalesce((SELECT max(offset) FROM log), 0),"
        " coalesce((SELECT max(offset) FROM recorded), 0))");
    if (!offset) return Err{offset.error()};
    const auto statement = database.prepare("SELECT epoch FROM meta");
    if (!statement) return Err{statement.error()};
    const Run run(*statement);
    if (run.error()) return Err{Failure{*run.error(), error_text(*run.error())}};
    if (!run.has_row()) return Err{Failure{StoreError::corrupt, "it has lost its epoch"}};
    return LogHead{delivery::Epoch{run.text(0)}, static_cast<delivery::Offset>(*offset)};
}

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

// ---- The store -----------------------------------------------------------------------------------

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
            return Err{sentence_for(path, {StoreError::io, "no room for a mark"})};
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
    has_mark_ = false;
    return {};
}

CommitOutcome SqliteStore::commit() {
    VERIFY(in_transaction_);
    VERIFY(broken_ || unbound_producers_.empty());
    if (!broken_ && write_rooms() && !Run(connection_->commit).error()) {
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
        backup_.reset();
        connection_.reset();
        auto opened = Connection::open(path_, {nullptr, false, options_.durability});
        if (!opened) return Err{opened.error().error};
        connection_ = std::move(*opened);
    }
    if (const auto loaded = load(); !loaded) return Err{loaded.error().error};
    needs_reopen_ = false;
    broken_.reset();
    return {};
}

Result<delivery::Offset, StoreError> SqliteStore::append(const LogEntry& entry) {
    VERIFY(in_transaction_);
    VERIFY(entry.offset == head_.offset + 1);
    const auto found = find_room(entry.room);
    if (!found) return Err{found.error()};
    auto* room = *found;
    if (!room) room = &*rooms_.emplace(entry.room, Room{++last_room_id_}).first;
    VERIFY(entry.room_seq == room->second.last_seq + 1);

    const Run run(connection_->append, entry.offset, room->second.id, entry.room_seq,
                  std::string_view(entry.data), entry.stored_at.value);
    if (run.error()) return fail(*run.error());
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

Result<std::optional<ProducerRow>, StoreError> SqliteStore::find_producer(const ProducerId& id) {
    if (broken_) return Err{*broken_};
    const Run run(connection_->find_producer, std::string_view(id.text));
    if (run.error()) return fail(*run.error());
    if (!run.has_row()) return std::optional<ProducerRow>();
    ProducerRow row;
    row.identity = {id, ProducerSecret(run.text(1))};
    row.epoch = run.number(2);
    row.seen = {run.number(3), run.number(4)};
    row.last_contact = {run.integer(5)};
    row.user = run.text(6);
    row.forgotten = run.number(7);
    return std::optional(std::move(row));
}

Result<void, StoreError> SqliteStore::put_producer(const ProducerRow& row) {
    VERIFY(in_transaction_);
    const auto known = find_producer_number(row.identity.id);
    if (!known) return Err{known.error()};
    const std::int64_t number = *known ? **known : number_producer(row.identity.id);
    const Run run(connection_->put_producer, number, std::string_view(row.identity.id.text),
                  std::string_view(row.identity.secret.text), row.epoch, row.seen.last,
                  row.seen.last_digest, row.last_contact.value, std::string_view(row.user),
                  row.forgotten);
    if (run.error()) return fail(*run.error());
    unbound_producers_.erase(row.identity.id.text);
    return {};
}

Result<std::optional<StoredVerdict>, StoreError> SqliteStore::find_verdict(
    const ProducerId& id, delivery::Sequence sequence) {
    return find_verdict_by(connection_->find_verdict, id, sequence);
}

Result<std::optional<StoredVerdict>, StoreError> SqliteStore::find_verdict_by_digest(
    const ProducerId& id, delivery::Digest digest) {
    return find_verdict_by(connection_->verdict_by_digest, id, digest);
}

Result<std::optional<StoredVerdict>, StoreError> SqliteStore::find_verdict_by(
    const Statement& statement, const ProducerId& id, std::uint64_t number_or_digest) {
    const auto number = find_producer_number(id);
    if (!number) return Err{number.error()};
    if (!*number) return std::optional<StoredVerdict>();
    const Run run(statement, **number, number_or_digest);
    if (run.error()) return fail(*run.error());
    if (!run.has_row()) return std::optional<StoredVerdict>();
    const auto kind = run.integer(1) == 0 ? Verdict::Kind::accepted : Verdict::Kind::rejected;
    StoredVerdict found{run.number(0), Verdict{kind, run.text(2)}, std::nullopt};
    const Publication published{run.number(3), static_cast<std::uint32_t>(run.number(4))};
    if (published.first > 0) found.published = published;
    return std::optional(std::move(found));
}

Result<void, StoreError> SqliteStore::put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                  const StoredVerdict& verdict) {
    VERIFY(in_transaction_);
    const auto known = find_producer_number(id);
    if (!known) return Err{known.error()};
    const std::int64_t number = *known ? **known : number_producer(id);
    if (!*known) unbound_producers_.insert(id.text);
    const std::int64_t kind = verdict.verdict.kind == Verdict::Kind::accepted ? 0 : 1;
    const Publication published = verdict.published.value_or(Publication());
    const Run run(connection_->put_verdict, number, sequence, verdict.digest, kind,
                  std::string_view(verdict.verdict.body), published.first,
                  std::uint64_t{published.entries});
    if (run.error()) return fail(*run.error());
    return {};
}

Result<std::vector<OnceRow>, StoreError> SqliteStore::find_once(std::string_view id,
                                                                std::string_view scope,
                                                                std::string_view body) {
    if (broken_) return Err{*broken_};
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
    const Run run(connection_->put_once, id, row.offset, std::string_view(row.scope),
                  std::string_view(row.body));
    if (run.error()) return fail(*run.error());
    return {};
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

// ---- what recovery keeps ------------------------------------------------------------------------

template <class Change>
Result<void, StoreError> SqliteStore::change_sessions(Change change) {
    VERIFY(in_transaction_);
    if (broken_) return Err{*broken_};
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
    // As read(): what is committed stays readable while a commit is in doubt.
    if (broken_ && !(needs_reopen_ && connection_)) return Err{*broken_};
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
    const auto found = connection_->read_head();
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

Result<std::optional<std::int64_t>, StoreError> SqliteStore::find_producer_number(
    const ProducerId& id) {
    if (broken_) return Err{*broken_};
    const auto known = producer_numbers_.find(id.text);
    if (known != producer_numbers_.end()) return std::optional(known->second);
    const Run run(connection_->find_producer, std::string_view(id.text));
    if (run.error()) return fail(*run.error());
    if (!run.has_row()) return std::optional<std::int64_t>();
    return std::optional(producer_numbers_[id.text] = run.integer(0));
}

/// For a producer who gets its row in this transaction.
std::int64_t SqliteStore::number_producer(const ProducerId& id) {
    return producer_numbers_[id.text] = ++last_producer_number_;
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
    rooms_.clear();
    changed_rooms_.clear();
    touched_rooms_.clear();
    producer_numbers_.clear();
    unbound_producers_.clear();
}

}  // namespace oncewire::store
