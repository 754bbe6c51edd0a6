#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/log_entry.hpp"
#include "server/store/rows.hpp"
#include "server/store/sqlite/database.hpp"

namespace oncewire::store::sqlite {

/// Reading the log of one open database: of several rooms at once, forwards, and of one, backwards. Reading's
/// functions of the same names. `committed`: the head that everybody may
/// see.
class LogTable {
  public:
    /// `database` outlives this.
    Result<void, Failure> prepare(Database& database);

    /// The head as the tables have it.
    Result<LogHead, Failure> head() const;
    Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                   delivery::Offset after,
                                                   delivery::Offset committed,
                                                   std::uint32_t entries_max,
                                                   std::uint64_t bytes_max);
    Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          delivery::Offset committed,
                                                          std::uint32_t entries_max,
                                                          std::uint64_t bytes_max) const;
    Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                           delivery::Offset offset) const;
    Result<delivery::Offset, StoreError> trimmed_to(const std::vector<std::string>& rooms) const;

  private:
    class RoomMerge;

    Database* database_ = nullptr;
    Statement head_, epoch_, newest_in_room_, read_before_, find_entry_, trimmed_;
    std::vector<Statement> room_cursors_;
};

}  // namespace oncewire::store::sqlite
