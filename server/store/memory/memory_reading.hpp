#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/store/memory/memory_disk.hpp"
#include "server/store/reading.hpp"

namespace oncewire::store {

/// What is committed on a MemoryDisk. Only what was there when it looked is shown.
class MemoryReading : public Reading {
  public:
    /// `disk` outlives this.
    explicit MemoryReading(const MemoryDisk& disk) : disk_(disk) {}

    Result<LogHead, StoreError> look() override;
    void let_go() override {}

    Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                   delivery::Offset after,
                                                   std::uint32_t entries_max,
                                                   std::uint64_t bytes_max) override;
    Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          std::uint32_t entries_max,
                                                          std::uint64_t bytes_max) override;
    Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                           delivery::Offset offset) override;
    Result<delivery::Offset, StoreError> trimmed_to(const std::vector<std::string>& rooms) override;
    Result<std::optional<SessionRow>, StoreError> find_session(std::string_view pid) override;
    Result<std::vector<RecordedEvent>, StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override;
    Result<Pruned, StoreError> pruned() override;
    /// There are no tables of applications.
    Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                  const std::vector<SqlValue>& values) override;

  private:
    const LogEntry* entry_at(delivery::Offset offset) const;
    LogEntry as_kept(LogEntry entry) const;
    std::vector<delivery::Offset> offsets_after(const std::vector<std::string>& rooms,
                                                delivery::Offset after,
                                                std::uint32_t entries_max) const;

    const MemoryDisk& disk_;
};

}  // namespace oncewire::store
