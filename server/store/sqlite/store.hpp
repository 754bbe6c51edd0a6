#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "server/store/sqlite/reading.hpp"
#include "server/store/store.hpp"
#include "server/store/whereabouts.hpp"

namespace oncewire::store {

namespace sqlite {
struct Failure;
class Ballast;
class HeadMark;
class UnflushedMark;
class Statement;
}  // namespace sqlite
class SqliteBackup;

/// A Store in one SQLite file (and its -wal beside it), fsynced at each commit.
///
/// One connection does everything and holds the file's lock while it is open, for the reason given at
/// sqlite::Database. So a second server, or the sqlite3 shell, is told "locked" as long as this one
/// runs, and backup has to go through us.
///
/// The last number of each room is kept in memory and written once, at commit(): a batch of 256
/// messages to one room costs one room row.
class SqliteStore final : public Store {
  public:
    struct OpenError {
        StoreError error = StoreError::io;
        std::string sentence;  ///< for people: which file, and what to do about it
    };
    struct Options {
        /// Below this much free space begin() says `full` rather than let a commit fail half way: a
        /// failed commit costs its senders their connections. 8 MiB hold the write-ahead log at its
        /// usual 1,000 pages and the checkpoint that empties it.
        std::uint64_t free_bytes_min = 8u << 20;
        /// Kept back in a file of its own, if that much is easily spared; given up when space runs out.
        std::uint64_t ballast_bytes = 16u << 20;
        /// `disk`, or `process`: no fsync, so power loss takes what was committed last. Whoever opens
        /// the file after that begins a new history.
        Durability durability = Durability::disk;
        /// The file is an older copy, put back on purpose: what is in it begins a new history.
        bool restored = false;
    };

    /// Opens `path`, or makes it (mode 0600) with `epoch_if_new`. `:memory:` is allowed, durability
    /// memory. Does not make directories. Blocks up to 2 s if another process has the file.
    static Result<std::unique_ptr<SqliteStore>, OpenError> open(const std::string& path,
                                                                const delivery::Epoch& epoch_if_new,
                                                                Options options);
    static Result<std::unique_ptr<SqliteStore>, OpenError> open(
        const std::string& path, const delivery::Epoch& epoch_if_new);
    ~SqliteStore() override;
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;

    /// Begins a copy of the whole database at `to`, which must not exist; one at a time. Call
    /// step_backup() until it says true, between transactions; what is written meanwhile is in the copy.
    /// Whoever starts with the copy begins a new history.
    Result<void, OpenError> begin_backup(const std::string& to);
    /// Copies the next megabyte. True: the copy is there, whole and fsynced.
    Result<bool, OpenError> step_backup();

    /// For operators; between transactions.
    Result<Whereabouts, StoreError> find_message(const MessageKey& key);

    Durability durability() const override;
    LogHead head() const override { return head_; }

    Result<void, StoreError> begin() override;
    CommitOutcome commit() override;
    void rollback() override;
    Result<void, StoreError> reopen() override;
    /// Null for `:memory:`. Must be gone before the store.
    std::unique_ptr<Reading> open_reading() override;

    Result<delivery::Offset, StoreError> append(const LogEntry& entry) override;
    Result<std::uint64_t, StoreError> next_room_seq(std::string_view room) override;
    Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                           delivery::Offset offset) override;
    Result<bool, StoreError> rewrite(std::string_view room, delivery::Offset offset,
                                     std::string_view data) override;
    Result<bool, StoreError> erase_traces() override;

    Result<std::optional<ProducerRow>, StoreError> find_producer(const ProducerId& id) override;
    Result<void, StoreError> put_producer(const ProducerRow& row) override;

    Result<std::optional<StoredVerdict>, StoreError> find_verdict(
        const ProducerId& id, delivery::Sequence sequence) override;
    Result<bool, StoreError> prepare_digests(const ProducerId& id,
                                             std::uint32_t count_max) override;
    Result<std::optional<StoredVerdict>, StoreError> find_verdict_by_digest(
        const ProducerId& id, delivery::Digest digest) override;
    Result<void, StoreError> put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                         const StoredVerdict& verdict) override;

    Result<std::vector<ProducerId>, StoreError> idle_producers(UnixMillis until,
                                                               std::uint32_t count_max) override;
    Result<void, StoreError> renew_producer(const ProducerId& id, UnixMillis now) override;
    Result<Forgotten, StoreError> forget_verdicts(const ProducerId& id,
                                                  std::uint32_t count_max) override;

    Result<std::vector<OnceRow>, StoreError> find_once(std::string_view id, std::string_view scope,
                                                       std::string_view body) override;
    Result<void, StoreError> put_once(std::string_view id, const OnceRow& row) override;

    Result<void, StoreError> mark() override;
    Result<void, StoreError> undo() override;

    Result<void, StoreError> put_task(const TaskRow& row) override;
    Result<void, StoreError> erase_task(std::uint64_t id) override;
    Result<std::vector<TaskRow>, StoreError> tasks(std::uint64_t after,
                                                   std::uint32_t count_max) override;
    std::uint64_t last_task() const override { return last_task_; }

    Result<void, StoreError> put_question(const QuestionRow& row) override;
    Result<void, StoreError> erase_question(std::uint64_t id) override;
    Result<std::optional<QuestionRow>, StoreError> find_question(std::string_view key) override;
    Result<std::vector<QuestionRow>, StoreError> questions_to(const ProducerId& recipient,
                                                              std::uint64_t after,
                                                              std::uint32_t count_max) override;
    Result<std::uint32_t, StoreError> count_questions_to(const ProducerId& recipient) override;
    Result<std::vector<QuestionRow>, StoreError> expiring_questions(
        UnixMillis until, std::uint32_t count_max) override;
    std::uint64_t last_question() const override { return last_question_; }

    Result<void, std::string> prepare_application(const std::vector<SchemaPart>& parts) override;
    Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                  const std::vector<SqlValue>& values) override;

    Result<Trimmed, StoreError> trim(const Retention& retention, UnixMillis now,
                                     std::uint32_t entries_max) override;
    Result<delivery::Offset, StoreError> trimmed_to(const std::vector<std::string>& rooms) override;

    Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                   delivery::Offset after,
                                                   std::uint32_t entries_max,
                                                   std::uint64_t bytes_max) override;
    Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          std::uint32_t entries_max,
                                                          std::uint64_t bytes_max) override;

    Result<std::optional<SessionRow>, StoreError> find_session(std::string_view pid) override;
    Result<void, StoreError> put_session(const SessionRow& row) override;
    Result<void, StoreError> join_session(std::string_view pid, const Membership& room) override;
    Result<void, StoreError> leave_session(std::string_view pid, std::string_view room) override;
    Result<void, StoreError> drop_session(std::string_view pid) override;
    Result<std::vector<std::string>, StoreError> sessions_in(
        const std::vector<std::string>& rooms) override;
    Result<void, StoreError> restart_sessions(UnixMillis now, Millis slack) override;
    Result<void, StoreError> drop_sessions_unseen_since(UnixMillis before) override;
    Result<void, StoreError> drop_all_sessions() override;
    Result<void, StoreError> record(const RecordedEvent& event) override;
    Result<std::vector<RecordedEvent>, StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override;
    Result<Pruned, StoreError> prune_recorded(const RecordLimits& limits) override;
    Result<Pruned, StoreError> pruned() override;

  private:
    struct Connection;  // the database and the prepared statements
    struct Room {
        std::int64_t id = 0;
        std::uint64_t last_seq = 0;
        delivery::Offset newest = 0;  // of its entries
        bool changed = false;
    };
    using NamedRoom = std::pair<const std::string, Room>;
    struct WaitingEntry {
        LogEntry entry;
        std::int64_t room = 0;
    };
    struct WaitingOnce {
        std::string id;
        OnceRow row;
    };

    SqliteStore(std::string path, Options options, std::unique_ptr<Connection> connection);

    Result<void, sqlite::Failure> load();
    bool has_space();
    bool is_unreadable() const { return broken_ && !(needs_reopen_ && connection_); }
    std::optional<LogHead> newest_known() const;
    Err<StoreError> fail(StoreError error);
    // What recovery keeps; both do nothing but fail while the store is broken.
    template <class Change>
    Result<void, StoreError> change_sessions(Change change);
    template <class Look>
    auto look_at_sessions(Look look) -> decltype(look());
    // Null, none: there is no such row. The pointer is valid until the next call.
    Result<NamedRoom*, StoreError> find_room(const std::string& name);
    Result<std::optional<std::int64_t>, StoreError> find_producer_number(const ProducerId& id);
    std::int64_t number_producer(const ProducerId& id);
    Result<std::optional<StoredVerdict>, StoreError> find_verdict_by(
        const sqlite::Statement& statement, const ProducerId& id, std::uint64_t number_or_digest);
    bool write_rooms();
    Result<void, StoreError> open_mark();
    Result<void, StoreError> see_waiting();
    Result<void, StoreError> keep_marked();
    Result<void, StoreError> write_waiting();
    Result<void, StoreError> write(const WaitingEntry& waiting);
    Result<void, StoreError> write(const WaitingOnce& waiting);
    struct RoomAtHand {
        std::int64_t id = 0;
        std::string name;
        std::uint64_t last_seq = 0;
    };
    Result<std::uint32_t, StoreError> trim_one(const RoomAtHand& room, const RetentionRule& rule,
                                               UnixMillis now, std::uint32_t entries_max);
    void forget_rows();

    std::string path_;
    Options options_;
    std::vector<std::shared_ptr<SqliteReading::Door>> doors_;  // of those who read beside it
    std::unique_ptr<Connection> connection_;  // null after a reopen() that could not open
    std::unique_ptr<SqliteBackup> backup_;    // reads through the connection
    std::unique_ptr<sqlite::HeadMark> mark_;
    std::unique_ptr<sqlite::UnflushedMark> unflushed_;  // while commits are not fsynced
    std::unique_ptr<sqlite::Ballast> ballast_;

    LogHead committed_;
    LogHead head_;  // beyond committed_ by what the open transaction appended
    bool in_transaction_ = false;
    bool needs_reopen_ = false;
    /// What every call answers until rollback(), or until reopen() if that is needed.
    std::optional<StoreError> broken_;

    std::unordered_map<std::string, Room> rooms_;  // seen lately
    std::vector<NamedRoom*> changed_rooms_;        // by the open transaction; point into rooms_
    std::int64_t last_room_id_ = 0;
    std::unordered_map<std::string, std::int64_t> producer_numbers_;  // seen lately
    std::set<std::string> unbound_producers_;  // have a verdict in this transaction, no row yet
    std::int64_t last_producer_number_ = 0;
    std::uint64_t last_task_ = 0;
    std::uint64_t last_question_ = 0;
    std::int64_t trimming_after_ = 0;  // the room that trim() looked at last

    // As it was at the mark, beside what SQLite goes back to. A savepoint costs a copy of every page that is
    // written behind it, so there is none as long as nothing is read or written but what can wait.
    bool has_mark_ = false;
    bool has_savepoint_ = false;
    std::vector<std::variant<WaitingEntry, WaitingOnce>> waiting_;  // put since the mark
    LogHead marked_head_;
    std::vector<std::pair<NamedRoom*, Room>> touched_rooms_;  // since, and what they were before
};

}  // namespace oncewire::store
