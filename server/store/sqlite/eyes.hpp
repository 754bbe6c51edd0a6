#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/store/sqlite/store.hpp"

namespace oncewire::store {

/// Reads by the store's own connection, between batches.
class SqliteStore::Eyes final : public Reading {
  public:
    explicit Eyes(SqliteStore& store) : store_(store) {}

    Result<LogHead, StoreError> look() override;
    void let_go() override;
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
    /// In a transaction that let_go() rolls back.
    Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                  const std::vector<SqlValue>& values) override;

  private:
    template <class Read>
    auto looking(Read read) -> decltype(read());

    SqliteStore& store_;
    bool has_run_sql_ = false;
};

}  // namespace oncewire::store
