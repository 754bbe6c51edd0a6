#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/store/memory/memory_disk.hpp"
#include "server/store/memory/memory_reading.hpp"
#include "server/store/store.hpp"

namespace oncewire::store {

/// What goes wrong next; set by whoever plays the machine, at any moment between two calls.
struct MemoryFaults {
    enum class Commit : std::uint8_t {
        works,
        fails_and_vanishes,  ///< unknown, and after reopen() nothing of it is there
        fails_and_lands,     ///< unknown, and after reopen() all of it is there
    };

    /// For the next write() alone.
    Commit next_commit = Commit::works;
    /// The call this many calls ahead fails, once: 1 is the next. 0: none. Calls are fetch(), write() and what is
    /// read by reading().
    std::uint64_t fail_call = 0;
    StoreError fail_call_with = StoreError::io;
    /// As long as they are set: write(), fetch() and reading, reopen().
    std::optional<StoreError> writes;
    std::optional<StoreError> reads;
    std::optional<StoreError> reopen;
};

/// The reference model of a Store: plain maps, std only, and a disk that outlives it. Dropping the
/// store is the crash: exactly what was not committed is gone. What the simulator runs on, and what
/// the SQLite store is compared with.
class MemoryStore final : public Store {
  public:
    /// `disk` and `faults` outlive the store. Of several stores on one disk the newest writes.
    explicit MemoryStore(MemoryDisk& disk, MemoryFaults* faults = nullptr);

    Durability durability() const override { return Durability::disk; }
    LogHead head() const override { return head_; }
    Numbers numbers() const override { return numbers_; }

    Result<Facts, StoreError> fetch(const Wanted& wanted) override;
    Written write(const Batch& batch) override;
    Result<void, StoreError> reopen() override;
    /// It keeps what is replaced nowhere.
    Result<bool, StoreError> erase_traces() override { return true; }

    ApplicationTables& tables() override { return tables_; }
    Reading& reading() override { return reading_; }

    /// This writer's, as MemoryDisk::write() wants it.
    std::uint64_t fence() const { return fence_; }

  private:
    /// It keeps no tables for applications.
    class NoTables final : public ApplicationTables {
      public:
        Result<void, std::string> prepare(const std::vector<SchemaPart>& parts) override;
        Result<std::vector<SqlRow>, SqlError> run(std::string_view statement,
                                                  const std::vector<SqlValue>& values) override;
        Result<void, StoreError> mark() override { return {}; }
        Result<void, StoreError> undo() override { return {}; }
        void drop() override {}
    };
    /// Fails when the store's reads fail.
    class OwnReading final : public MemoryReading {
      public:
        explicit OwnReading(MemoryStore& store) : MemoryReading(store.disk_), store_(store) {}
        Result<LogHead, StoreError> look() override;
        Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                       delivery::Offset after,
                                                       std::uint32_t entries_max,
                                                       std::uint64_t bytes_max) override;

      private:
        MemoryStore& store_;
    };

    enum class Call : std::uint8_t { read, write };
    std::optional<StoreError> fault(Call call);
    void load();
    void fetch_log(const Wanted& wanted, Facts& facts) const;
    void fetch_senders(const Wanted& wanted, Facts& facts) const;
    std::optional<StoredVerdict> find_by_digest(const Wanted::DigestKey& key) const;
    std::vector<OnceRow> find_once(const Wanted::OnceKey& key) const;
    void fetch_questions(const Wanted& wanted, Facts& facts) const;
    void fetch_sessions(const Wanted& wanted, Facts& facts) const;
    void fetch_due(const Wanted& wanted, Facts& facts) const;

    MemoryDisk& disk_;
    MemoryFaults* faults_;
    std::uint64_t fence_ = 0;
    LogHead head_;
    Numbers numbers_;
    bool needs_reopen_ = false;
    NoTables tables_;
    OwnReading reading_{*this};
};

}  // namespace oncewire::store
