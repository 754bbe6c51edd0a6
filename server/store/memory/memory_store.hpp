#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/store.hpp"

namespace oncewire::store {

/// What recovery keeps. Small, so a transaction that changes it works on a copy.
struct MemorySessions {
    std::map<std::string, SessionRow, std::less<>> rows;  ///< by pid
    std::map<delivery::Offset, RecordedEvent> recorded;
    Pruned pruned;
    bool operator==(const MemorySessions&) const = default;
};

/// The rows of a database, or those one transaction adds to them.
struct MemoryTables {
    std::vector<LogEntry> log;                                                ///< in offset order
    std::map<std::string, std::vector<delivery::Offset>, std::less<>> rooms;  ///< by log_room()
    std::map<ProducerId, ProducerRow> producers;
    /// A transaction forgets some by the producer's row.
    std::map<ProducerId, std::map<delivery::Sequence, StoredVerdict>> verdicts;
    std::map<std::string, std::vector<OnceRow>, std::less<>> once;
    std::optional<MemorySessions> sessions;  ///< none: none yet, or not changed
    std::map<std::uint64_t, TaskRow> tasks;
    std::uint64_t last_task = 0;              ///< the newest id ever, also of those erased
    std::vector<std::uint64_t> erased_tasks;  ///< by a transaction
    std::map<std::uint64_t, QuestionRow> questions;
    std::uint64_t last_question = 0;
    std::vector<std::uint64_t> erased_questions;  ///< by a transaction
    /// Up to where each room was trimmed. The entries stay in `log`, for whoever judges.
    std::map<std::string, delivery::Offset, std::less<>> trimmed;
    std::map<delivery::Offset, std::string> rewritten;  ///< by a transaction

    /// Takes over what a transaction changed. O(changes).
    void apply(MemoryTables changes);
    bool operator==(const MemoryTables&) const = default;
};

/// What survives the process: belongs to whoever plays the machine. A copy is a backup; to restore
/// one, copy it back while no store is open and give it a new epoch.
struct MemoryDisk {
    delivery::Epoch epoch;
    MemoryTables tables;
    bool operator==(const MemoryDisk&) const = default;
};

/// What goes wrong next; set by whoever plays the machine, at any moment between two calls.
struct MemoryFaults {
    enum class Commit : std::uint8_t {
        works,
        fails_and_vanishes,  ///< unknown, and after reopen() nothing of it is there
        fails_and_lands,     ///< unknown, and after reopen() all of it is there
    };

    /// For the next commit() alone.
    Commit next_commit = Commit::works;
    /// The call this many calls ahead fails, once: 1 is the next. 0: none. Only calls that return a
    /// StoreError count.
    std::uint64_t fail_call = 0;
    StoreError fail_call_with = StoreError::io;
    /// As long as they are set: begin() and all writes, all reads, reopen().
    std::optional<StoreError> writes;
    std::optional<StoreError> reads;
    std::optional<StoreError> reopen;
};

/// The reference model of a Store: plain maps, std only, and a disk that outlives it. Dropping the
/// store is the crash: exactly what was not committed is gone. What the simulator runs on, and what
/// the SQLite store is compared with.
class MemoryStore final : public Store {
  public:
    /// `disk` and `faults` outlive the store; one store at a time on one disk.
    explicit MemoryStore(MemoryDisk& disk, MemoryFaults* faults = nullptr);

    Durability durability() const override { return Durability::disk; }
    LogHead head() const override;

    Result<void, StoreError> begin() override;
    CommitOutcome commit() override;
    void rollback() override;
    Result<void, StoreError> reopen() override;

    Result<delivery::Offset, StoreError> append(const LogEntry& entry) override;
    Result<std::uint64_t, StoreError> next_room_seq(std::string_view room) override;
    Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                           delivery::Offset offset) override;
    Result<bool, StoreError> rewrite(std::string_view room, delivery::Offset offset,
                                     std::string_view data) override;
    /// It keeps what is replaced nowhere.
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

    /// It keeps no tables for applications.
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
    enum class Call : std::uint8_t { read, write };

    std::optional<StoreError> fault(Call call);
    void load_head();
    const LogEntry& entry_at(delivery::Offset offset) const;
    std::array<const MemoryTables*, 2> oldest_first() const { return {&disk_.tables, &changes_}; }
    std::array<const MemoryTables*, 2> newest_first() const { return {&changes_, &disk_.tables}; }
    const ProducerRow* producer(const ProducerId& id) const;
    std::map<std::uint64_t, QuestionRow> questions() const;
    std::uint64_t stored_in_room(std::string_view room) const;
    delivery::Offset newest_in_room(std::string_view room) const;
    LogEntry as_kept(LogEntry entry) const;
    delivery::Offset trimmed_in(std::string_view room) const;
    std::vector<delivery::Offset> offsets_after(const std::vector<std::string>& rooms,
                                                delivery::Offset after,
                                                std::uint32_t entries_max) const;

    /// As the open transaction leaves them.
    const MemorySessions& sessions() const;
    template <class Change>
    Result<void, StoreError> change_sessions(Change change);

    MemoryDisk& disk_;
    MemoryFaults* faults_;
    LogHead committed_;
    delivery::Offset head_ = 0;
    MemoryTables changes_;  // of the open transaction
    MemoryTables marked_;   // changes_ at the mark
    delivery::Offset marked_head_ = 0;
    std::uint64_t last_task_ = 0;
    std::uint64_t last_question_ = 0;
    bool in_transaction_ = false;
    /// What every call answers until rollback(), or until reopen() if that is needed.
    std::optional<StoreError> broken_;
    bool needs_reopen_ = false;
};

}  // namespace oncewire::store
