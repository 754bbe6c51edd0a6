#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/batch.hpp"

namespace oncewire::store {

/// What recovery keeps.
struct MemorySessions {
    std::map<std::string, SessionRow, std::less<>> rows;  ///< by pid
    std::map<delivery::Offset, RecordedEvent> recorded;
    Pruned pruned;
    bool operator==(const MemorySessions&) const = default;
};

/// The committed rows of a database.
struct MemoryTables {
    std::vector<LogEntry> log;                                                ///< in offset order
    std::map<std::string, std::vector<delivery::Offset>, std::less<>> rooms;  ///< by log_room()
    std::map<ProducerId, ProducerRow> producers;
    std::map<ProducerId, std::map<delivery::Sequence, StoredVerdict>> verdicts;
    std::map<std::string, std::vector<OnceRow>, std::less<>> once;
    MemorySessions sessions;
    std::map<std::uint64_t, TaskRow> tasks;
    std::uint64_t last_task = 0;  ///< the newest id ever, also of those ended
    std::map<std::uint64_t, QuestionRow> questions;
    std::uint64_t last_question = 0;
    /// Up to where each room was trimmed. The entries stay in `log`, for whoever judges.
    std::map<std::string, delivery::Offset, std::less<>> trimmed;

    /// Of the newest entry or recorded event; 0: none.
    delivery::Offset head() const;
    delivery::Offset trimmed_in(std::string_view room) const;
    /// O(batch), but for sessions.
    Written apply(const Batch& batch);
    bool operator==(const MemoryTables&) const = default;

  private:
    void append(const LogEntry& entry);
    void apply_senders(const Batch& batch);
    void apply_sessions(const Batch& batch);
    void apply_upkeep(const Upkeep& upkeep, Written& written);
    void forget_verdicts(const Upkeep& upkeep, Written& written);
    void trim(const Upkeep::Trim& trim, Written& written);
};

/// What survives the process: belongs to whoever plays the machine. A copy is a backup; to restore
/// one, copy it back while no store is open and give it a new epoch.
struct MemoryDisk {
    delivery::Epoch epoch;
    MemoryTables tables = {};
    std::uint64_t fence = 0;  ///< of the writer that opened it last

    LogHead head() const { return {epoch, tables.head()}; }
    /// As Store::write(), by the writer with this fence; also long after its process has died.
    Written write(const Batch& batch, std::uint64_t writer);
    /// Who wrote it makes no difference.
    bool operator==(const MemoryDisk& other) const {
        return epoch == other.epoch && tables == other.tables;
    }
};

}  // namespace oncewire::store
