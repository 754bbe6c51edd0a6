#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/store/memory/memory_store.hpp"
#include "server/store/reading.hpp"
#include "server/store/store.hpp"
#include "tests/sim/env.hpp"

namespace oncewire::sim {

/// A store in front of a store: passes every call on. What stands between the sequencer and the disk
/// is a stack of these, from the liar to the truth: MutantStore, FaultyStore, MemoryStore.
class StoreInFront : public store::Store {
  public:
    explicit StoreInFront(store::Store& behind) : behind_(behind) {}

    store::Durability durability() const override { return behind_.durability(); }
    store::LogHead head() const override { return behind_.head(); }
    Result<void, store::StoreError> begin() override { return behind_.begin(); }
    store::CommitOutcome commit() override { return behind_.commit(); }
    void rollback() override { behind_.rollback(); }
    Result<void, store::StoreError> reopen() override { return behind_.reopen(); }
    Result<delivery::Offset, store::StoreError> append(const store::LogEntry& entry) override {
        return behind_.append(entry);
    }
    Result<std::uint64_t, store::StoreError> next_room_seq(std::string_view room) override {
        return behind_.next_room_seq(room);
    }
    Result<std::optional<store::LogEntry>, store::StoreError> find_entry(
        std::string_view room, delivery::Offset offset) override {
        return behind_.find_entry(room, offset);
    }
    Result<bool, store::StoreError> rewrite(std::string_view room, delivery::Offset offset,
                                            std::string_view data) override {
        return behind_.rewrite(room, offset, data);
    }
    Result<bool, store::StoreError> erase_traces() override { return behind_.erase_traces(); }
    Result<std::optional<store::ProducerRow>, store::StoreError> find_producer(
        const ProducerId& id) override {
        return behind_.find_producer(id);
    }
    Result<void, store::StoreError> put_producer(const store::ProducerRow& row) override {
        return behind_.put_producer(row);
    }
    Result<std::optional<store::StoredVerdict>, store::StoreError> find_verdict(
        const ProducerId& id, delivery::Sequence sequence) override {
        return behind_.find_verdict(id, sequence);
    }
    Result<void, store::StoreError> put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                const store::StoredVerdict& verdict) override {
        return behind_.put_verdict(id, sequence, verdict);
    }
    Result<std::vector<ProducerId>, store::StoreError> idle_producers(
        UnixMillis until, std::uint32_t count) override {
        return behind_.idle_producers(until, count);
    }
    Result<void, store::StoreError> renew_producer(const ProducerId& id, UnixMillis now) override {
        return behind_.renew_producer(id, now);
    }
    Result<Forgotten, store::StoreError> forget_verdicts(const ProducerId& id,
                                                         std::uint32_t count) override {
        return behind_.forget_verdicts(id, count);
    }
    Result<std::vector<store::OnceRow>, store::StoreError> find_once(
        std::string_view id, std::string_view scope, std::string_view body) override {
        return behind_.find_once(id, scope, body);
    }
    Result<void, store::StoreError> put_once(std::string_view id,
                                             const store::OnceRow& row) override {
        return behind_.put_once(id, row);
    }
    Result<bool, store::StoreError> prepare_digests(const ProducerId& id,
                                                    std::uint32_t count_max) override {
        return behind_.prepare_digests(id, count_max);
    }
    Result<std::optional<store::StoredVerdict>, store::StoreError> find_verdict_by_digest(
        const ProducerId& id, delivery::Digest digest) override {
        return behind_.find_verdict_by_digest(id, digest);
    }
    Result<void, store::StoreError> mark() override { return behind_.mark(); }
    Result<void, store::StoreError> undo() override { return behind_.undo(); }
    Result<void, store::StoreError> put_task(const store::TaskRow& row) override {
        return behind_.put_task(row);
    }
    Result<void, store::StoreError> erase_task(std::uint64_t id) override {
        return behind_.erase_task(id);
    }
    Result<std::vector<store::TaskRow>, store::StoreError> tasks(std::uint64_t after,
                                                                 std::uint32_t count) override {
        return behind_.tasks(after, count);
    }
    std::uint64_t last_task() const override { return behind_.last_task(); }
    Result<void, store::StoreError> put_question(const store::QuestionRow& row) override {
        return behind_.put_question(row);
    }
    Result<void, store::StoreError> erase_question(std::uint64_t id) override {
        return behind_.erase_question(id);
    }
    Result<std::optional<store::QuestionRow>, store::StoreError> find_question(
        std::string_view key) override {
        return behind_.find_question(key);
    }
    Result<std::vector<store::QuestionRow>, store::StoreError> questions_to(
        const ProducerId& recipient, std::uint64_t after, std::uint32_t count) override {
        return behind_.questions_to(recipient, after, count);
    }
    Result<std::uint32_t, store::StoreError> count_questions_to(
        const ProducerId& recipient) override {
        return behind_.count_questions_to(recipient);
    }
    Result<std::vector<store::QuestionRow>, store::StoreError> expiring_questions(
        UnixMillis until, std::uint32_t count) override {
        return behind_.expiring_questions(until, count);
    }
    std::uint64_t last_question() const override { return behind_.last_question(); }
    Result<void, std::string> prepare_application(
        const std::vector<store::SchemaPart>& parts) override {
        return behind_.prepare_application(parts);
    }
    Result<std::vector<store::SqlRow>, store::SqlError> run_sql(
        std::string_view statement, const std::vector<store::SqlValue>& values) override {
        return behind_.run_sql(statement, values);
    }
    Result<Trimmed, store::StoreError> trim(const store::Retention& retention, UnixMillis now,
                                            std::uint32_t entries_max) override {
        return behind_.trim(retention, now, entries_max);
    }
    Result<delivery::Offset, store::StoreError> trimmed_to(
        const std::vector<std::string>& rooms) override {
        return behind_.trimmed_to(rooms);
    }
    Result<std::vector<store::LogEntry>, store::StoreError> read(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override {
        return behind_.read(rooms, after, entries_max, bytes_max);
    }
    Result<std::vector<store::LogEntry>, store::StoreError> read_before(
        std::string_view room, delivery::Offset before, std::uint32_t entries_max,
        std::uint64_t bytes_max) override {
        return behind_.read_before(room, before, entries_max, bytes_max);
    }
    Result<std::optional<store::SessionRow>, store::StoreError> find_session(
        std::string_view pid) override {
        return behind_.find_session(pid);
    }
    Result<void, store::StoreError> put_session(const store::SessionRow& row) override {
        return behind_.put_session(row);
    }
    Result<void, store::StoreError> join_session(std::string_view pid,
                                                 const store::Membership& room) override {
        return behind_.join_session(pid, room);
    }
    Result<void, store::StoreError> leave_session(std::string_view pid,
                                                  std::string_view room) override {
        return behind_.leave_session(pid, room);
    }
    Result<void, store::StoreError> drop_session(std::string_view pid) override {
        return behind_.drop_session(pid);
    }
    Result<std::vector<std::string>, store::StoreError> sessions_in(
        const std::vector<std::string>& rooms) override {
        return behind_.sessions_in(rooms);
    }
    Result<void, store::StoreError> restart_sessions(UnixMillis now, Millis slack) override {
        return behind_.restart_sessions(now, slack);
    }
    Result<void, store::StoreError> drop_sessions_unseen_since(UnixMillis before) override {
        return behind_.drop_sessions_unseen_since(before);
    }
    Result<void, store::StoreError> drop_all_sessions() override {
        return behind_.drop_all_sessions();
    }
    Result<void, store::StoreError> record(const store::RecordedEvent& event) override {
        return behind_.record(event);
    }
    Result<std::vector<store::RecordedEvent>, store::StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override {
        return behind_.read_recorded(rooms, after, entries_max, bytes_max);
    }
    Result<store::Pruned, store::StoreError> prune_recorded(
        const store::RecordLimits& limits) override {
        return behind_.prune_recorded(limits);
    }
    Result<store::Pruned, store::StoreError> pruned() override { return behind_.pruned(); }

  protected:
    store::Store& behind_;
};

/// The disk misbehaves and the process dies, at any call. Tells the witness what really landed.
///
/// A crash cannot unwind the sequencer's stack (no exceptions), so it is played: from that call on
/// everything fails and nothing lands, and whoever hosts the sequencer sees is_crashed() and drops it.
class FaultyStore final : public StoreInFront {
  public:
    FaultyStore(Env& env, store::MemoryDisk& disk);

    bool is_crashed() const { return crashed_; }
    /// Draws how long the disk will take for the coming commit.
    Millis commit_time();
    /// The liveness phase: no fault that was set lasts.
    void heal() { faults_ = {}; }

    Result<void, store::StoreError> begin() override;
    store::CommitOutcome commit() override;
    Result<void, store::StoreError> reopen() override;
    Result<delivery::Offset, store::StoreError> append(const store::LogEntry& entry) override;
    Result<std::optional<store::ProducerRow>, store::StoreError> find_producer(
        const ProducerId& id) override;
    Result<void, store::StoreError> put_producer(const store::ProducerRow& row) override;
    Result<std::optional<store::StoredVerdict>, store::StoreError> find_verdict(
        const ProducerId& id, delivery::Sequence sequence) override;
    Result<void, store::StoreError> put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                const store::StoredVerdict& verdict) override;
    Result<std::vector<ProducerId>, store::StoreError> idle_producers(UnixMillis until,
                                                                      std::uint32_t count) override;
    Result<void, store::StoreError> renew_producer(const ProducerId& id, UnixMillis now) override;
    Result<Forgotten, store::StoreError> forget_verdicts(const ProducerId& id,
                                                         std::uint32_t count) override;
    Result<bool, store::StoreError> prepare_digests(const ProducerId& id,
                                                    std::uint32_t count_max) override;
    Result<void, store::StoreError> put_task(const store::TaskRow& row) override;
    Result<void, store::StoreError> erase_task(std::uint64_t id) override;
    Result<void, store::StoreError> put_question(const store::QuestionRow& row) override;
    Result<void, store::StoreError> erase_question(std::uint64_t id) override;
    Result<std::vector<store::QuestionRow>, store::StoreError> questions_to(
        const ProducerId& recipient, std::uint64_t after, std::uint32_t count) override;
    Result<std::vector<store::QuestionRow>, store::StoreError> expiring_questions(
        UnixMillis until, std::uint32_t count) override;
    Result<Trimmed, store::StoreError> trim(const store::Retention& retention, UnixMillis now,
                                            std::uint32_t entries_max) override;
    Result<void, store::StoreError> put_once(std::string_view id,
                                             const store::OnceRow& row) override;
    Result<std::vector<store::LogEntry>, store::StoreError> read(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override;
    Result<std::optional<store::SessionRow>, store::StoreError> find_session(
        std::string_view pid) override;
    Result<void, store::StoreError> put_session(const store::SessionRow& row) override;
    Result<void, store::StoreError> leave_session(std::string_view pid,
                                                  std::string_view room) override;
    Result<void, store::StoreError> record(const store::RecordedEvent& event) override;
    Result<std::vector<store::RecordedEvent>, store::StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override;

  private:
    bool crashes(Fault fault, std::uint32_t denominator);
    void draw_outage();
    template <class Statement>
    auto run(Statement statement) -> decltype(statement());

    Env& env_;
    store::MemoryDisk& disk_;
    store::MemoryFaults faults_;
    store::MemoryStore memory_;
    bool crashed_ = false;
    Instant writes_fail_until_;
};

/// Eyes of their own on the disk, for who reads apart from the sequencer: they see what is committed, and
/// fail now and then.
class DiskReading final : public store::OwnReading {
  public:
    DiskReading(Env& env, store::MemoryDisk& disk) : OwnReading(store_), env_(env), store_(disk) {}

    Result<store::LogHead, store::StoreError> look() override;

  private:
    Env& env_;
    store::MemoryStore store_;
};

/// Plants the bugs that a store can have; otherwise passes everything on.
class MutantStore final : public StoreInFront {
  public:
    MutantStore(Env& env, store::Store& behind, store::MemoryDisk& disk)
        : StoreInFront(behind), env_(env), disk_(disk) {}

    /// Mutant::published_before_commit: what was appended since the last call.
    std::vector<store::LogEntry> take_appended() { return std::exchange(appended_, {}); }
    /// Mutant::producer_forgotten has to know.
    void look_at_clock(UnixMillis now) { wall_clock_ = now; }
    /// Mutant::task_before_commit: what was deferred since the last call.
    std::vector<store::TaskRow> take_deferred() { return std::exchange(deferred_, {}); }
    /// Mutant::asked_before_commit, Mutant::asked_when_over: what clients must not be asked.
    std::vector<store::QuestionRow> take_mistaken() { return std::exchange(mistaken_, {}); }
    /// Mutant::no_fsync: the process died, and with it what the disk had only promised.
    void lose_unsynced();

    Result<void, store::StoreError> begin() override;
    store::CommitOutcome commit() override;
    void rollback() override;
    Result<delivery::Offset, store::StoreError> append(const store::LogEntry& entry) override;
    Result<std::optional<store::ProducerRow>, store::StoreError> find_producer(
        const ProducerId& id) override;
    Result<void, store::StoreError> put_producer(const store::ProducerRow& row) override;
    Result<std::optional<store::StoredVerdict>, store::StoreError> find_verdict(
        const ProducerId& id, delivery::Sequence sequence) override;
    Result<void, store::StoreError> put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                const store::StoredVerdict& verdict) override;
    Result<std::optional<store::StoredVerdict>, store::StoreError> find_verdict_by_digest(
        const ProducerId& id, delivery::Digest digest) override;
    Result<std::vector<ProducerId>, store::StoreError> idle_producers(UnixMillis until,
                                                                      std::uint32_t count) override;
    Result<void, store::StoreError> renew_producer(const ProducerId& id, UnixMillis now) override;
    Result<void, store::StoreError> undo() override;
    Result<void, store::StoreError> mark() override;
    Result<void, store::StoreError> put_task(const store::TaskRow& row) override;
    Result<void, store::StoreError> put_question(const store::QuestionRow& row) override;
    Result<void, store::StoreError> erase_question(std::uint64_t id) override;
    Result<Trimmed, store::StoreError> trim(const store::Retention& retention, UnixMillis now,
                                            std::uint32_t entries_max) override;
    Result<void, store::StoreError> put_once(std::string_view id,
                                             const store::OnceRow& row) override;
    Result<std::vector<store::LogEntry>, store::StoreError> read(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override;
    Result<std::optional<store::SessionRow>, store::StoreError> find_session(
        std::string_view pid) override;
    Result<void, store::StoreError> put_session(const store::SessionRow& row) override;
    Result<void, store::StoreError> join_session(std::string_view pid,
                                                 const store::Membership& room) override;
    Result<void, store::StoreError> leave_session(std::string_view pid,
                                                  std::string_view room) override;
    Result<void, store::StoreError> drop_sessions_unseen_since(UnixMillis before) override;
    Result<void, store::StoreError> record(const store::RecordedEvent& event) override;
    Result<store::Pruned, store::StoreError> pruned() override;

  private:
    struct Dedupe {
        std::map<ProducerId, store::ProducerRow> rows;
        std::map<std::pair<ProducerId, delivery::Sequence>, store::StoredVerdict> verdicts;
    };

    bool keeps_dedupe_back() const;
    void commit_apart(const Dedupe& changes);

    Env& env_;
    store::MemoryDisk& disk_;
    std::vector<store::LogEntry> appended_;
    std::vector<store::TaskRow> deferred_;
    std::vector<store::QuestionRow> mistaken_;
    std::vector<store::QuestionRow> late_questions_;  // over when this transaction ends
    std::vector<std::uint64_t> ended_questions_;      // since the mark
    UnixMillis wall_clock_;
    std::vector<store::MemoryDisk> synced_;  // what a crash goes back to, oldest first
    bool commit_owed_ = false;
    std::map<std::string, store::SessionRow, std::less<>> late_;  // sessions not stored yet
    Dedupe kept_;                                                 // back from the disk
    Dedupe changes_;                                              // of the open transaction
};

}  // namespace oncewire::sim
