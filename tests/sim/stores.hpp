#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/store/memory/memory_store.hpp"
#include "server/store/overlay/overlay.hpp"
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
    Numbers numbers() const override { return behind_.numbers(); }
    Result<store::Facts, store::StoreError> fetch(const store::Wanted& wanted) override {
        return behind_.fetch(wanted);
    }
    store::Written write(const store::Batch& batch) override { return behind_.write(batch); }
    Result<void, store::StoreError> reopen() override { return behind_.reopen(); }
    Result<bool, store::StoreError> erase_traces() override { return behind_.erase_traces(); }
    store::ApplicationTables& tables() override { return behind_.tables(); }
    store::Reading& reading() override { return behind_.reading(); }

  protected:
    store::Store& behind_;
};

/// Eyes in front of eyes, likewise.
class ReadingInFront : public store::Reading {
  public:
    explicit ReadingInFront(store::Reading& behind) : behind_(behind) {}

    Result<store::LogHead, store::StoreError> look() override { return behind_.look(); }
    void let_go() override { behind_.let_go(); }
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
    Result<std::optional<store::LogEntry>, store::StoreError> find_entry(
        std::string_view room, delivery::Offset offset) override {
        return behind_.find_entry(room, offset);
    }
    Result<delivery::Offset, store::StoreError> trimmed_to(
        const std::vector<std::string>& rooms) override {
        return behind_.trimmed_to(rooms);
    }
    Result<std::optional<store::SessionRow>, store::StoreError> find_session(
        std::string_view pid) override {
        return behind_.find_session(pid);
    }
    Result<std::vector<store::RecordedEvent>, store::StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override {
        return behind_.read_recorded(rooms, after, entries_max, bytes_max);
    }
    Result<store::Pruned, store::StoreError> pruned() override { return behind_.pruned(); }
    Result<std::vector<store::SqlRow>, store::SqlError> run_sql(
        std::string_view statement, const std::vector<store::SqlValue>& values) override {
        return behind_.run_sql(statement, values);
    }

  protected:
    store::Reading& behind_;
};

/// A batch that was on its way to the disk when its process died, and arrives when it pleases.
struct LateWrite {
    store::Batch batch;
    std::uint64_t fence = 0;
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
    /// After the crash.
    std::optional<LateWrite> take_late_write() { return std::exchange(late_write_, {}); }

    Result<store::Facts, store::StoreError> fetch(const store::Wanted& wanted) override;
    store::Written write(const store::Batch& batch) override;
    Result<void, store::StoreError> reopen() override;
    store::Reading& reading() override { return reading_; }

  private:
    /// Fails now and then.
    class Reading final : public ReadingInFront {
      public:
        explicit Reading(FaultyStore& store)
            : ReadingInFront(store.memory_.reading()), store_(store) {}
        Result<std::vector<store::LogEntry>, store::StoreError> read(
            const std::vector<std::string>& rooms, delivery::Offset after,
            std::uint32_t entries_max, std::uint64_t bytes_max) override;
        Result<std::vector<store::RecordedEvent>, store::StoreError> read_recorded(
            const std::vector<std::string>& rooms, delivery::Offset after,
            std::uint32_t entries_max, std::uint64_t bytes_max) override;

      private:
        FaultyStore& store_;
    };

    bool crashes(Fault fault, std::uint32_t denominator);
    void draw_outage();
    void draw_fate();
    store::Batch slowed(const store::Batch& batch);
    void count(const store::Batch& batch, const store::Written& written);

    Env& env_;
    store::MemoryDisk& disk_;
    store::MemoryFaults faults_;
    store::MemoryStore memory_;
    Reading reading_{*this};
    bool crashed_ = false;
    std::optional<LateWrite> late_write_;
    Instant writes_fail_until_;
};

/// Eyes of their own on the disk, for who reads apart from the sequencer: they see what is committed, and
/// fail now and then.
class DiskReading final : public store::MemoryReading {
  public:
    DiskReading(Env& env, const store::MemoryDisk& disk) : MemoryReading(disk), env_(env) {}

    Result<store::LogHead, store::StoreError> look() override;

  private:
    Env& env_;
};

/// Plants the bugs that a store can have; otherwise passes everything on.
class MutantStore final : public StoreInFront {
  public:
    MutantStore(Env& env, store::Store& behind, store::MemoryDisk& disk)
        : StoreInFront(behind), env_(env), disk_(disk), reading_(*this) {}

    /// Mutant::producer_forgotten has to know.
    void look_at_clock(UnixMillis now) { wall_clock_ = now; }
    /// Mutant::asked_when_over: what clients must not be asked.
    std::vector<store::QuestionRow> take_mistaken() { return std::exchange(mistaken_, {}); }
    /// Mutant::no_fsync: the process died, and with it what the disk had only promised.
    void lose_unsynced();

    store::LogHead head() const override;
    Result<store::Facts, store::StoreError> fetch(const store::Wanted& wanted) override;
    store::Written write(const store::Batch& batch) override;
    store::Reading& reading() override { return reading_; }

  private:
    /// Lies, too.
    class Reading final : public ReadingInFront {
      public:
        explicit Reading(MutantStore& store)
            : ReadingInFront(store.behind_.reading()), store_(store) {}
        Result<std::vector<store::LogEntry>, store::StoreError> read(
            const std::vector<std::string>& rooms, delivery::Offset after,
            std::uint32_t entries_max, std::uint64_t bytes_max) override;
        Result<std::optional<store::SessionRow>, store::StoreError> find_session(
            std::string_view pid) override;
        Result<store::Pruned, store::StoreError> pruned() override;

      private:
        MutantStore& store_;
    };
    using Dedupe = std::map<ProducerId, store::SenderChange>;

    bool keeps_dedupe_back() const;
    void lie_about_producers(const store::Wanted& wanted, store::Facts& facts) const;
    void lie_about_verdicts(const store::Wanted& wanted, store::Facts& facts) const;
    std::optional<store::SessionRow> lie_about(std::string_view pid,
                                               std::optional<store::SessionRow> row) const;
    bool lies_about_pruned() const;
    void spoil(store::Batch& batch);
    void spoil_senders(store::Batch& batch);
    void spoil_sessions(store::Batch& batch);
    void note_ended(const store::Batch& batch);
    void tell_befores(store::Batch& batch) const;
    store::Written after_commit(store::Written written, Dedupe kept_back);
    void commit_apart(const Dedupe& changes);

    Env& env_;
    store::MemoryDisk& disk_;
    Reading reading_;
    std::vector<store::QuestionRow> mistaken_;
    std::vector<store::QuestionRow> late_questions_;  // over when this batch is committed
    UnixMillis wall_clock_;
    std::vector<store::MemoryDisk> synced_;   // what a crash goes back to, oldest first
    std::optional<store::MemoryDisk> stale_;  // Mutant::facts_stale: before the newest batch
    std::optional<store::Batch> owed_;        // Mutant::ack_before_commit
    std::map<std::string, store::SessionChange, std::less<>> late_;  // sessions not stored yet
    Dedupe kept_;                                                    // back from the disk
};

/// Plants the bugs of what lies over the store.
class MutantOverlay final : public store::Overlay {
  public:
    MutantOverlay(Env& env, store::Store& store) : Overlay(store), env_(env) {}

    void mark() override;
    Result<void, store::StoreError> undo() override;

    /// Mutant::published_before_commit, Mutant::task_before_commit, Mutant::asked_before_commit: what is new in the
    /// batch since the last call.
    std::vector<store::LogEntry> take_appended();
    std::vector<store::TaskRow> take_deferred();
    std::vector<store::QuestionRow> take_asked();

  private:
    Env& env_;
    std::size_t marked_ended_ = 0;
    delivery::Offset appended_to_ = 0;
    std::uint64_t deferred_to_ = 0;
    std::uint64_t asked_to_ = 0;
};

}  // namespace oncewire::sim
