#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "server/store/batch.hpp"
#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/sessions.hpp"
#include "server/store/sqlite/upkeep.hpp"

namespace oncewire::store::sqlite {

/// Writes batches into the tables of one open database, each table in the order of its keys, so that neighbours share
/// pages. All of it runs in the transaction that the caller has opened; after an error roll that back.
class Writer {
  public:
    /// `database` and `sessions` outlive this.
    Result<void, Failure> prepare(Database& database, SessionTables& sessions);

    /// Which writer this is: the next number of the database, from 1. In the open transaction, if one is.
    Result<std::uint64_t, Failure> take_fence();
    /// Whether this is the writer still, and the head where the batch begins.
    Result<bool, StoreError> may_write(const LogHead& from, std::uint64_t fence) const;
    Result<Written, StoreError> write(const Batch& batch);
    /// What was written is rolled back.
    void forget();

  private:
    /// Rooms and producers remembered: 65,536 of each are about ten megabytes.
    static constexpr std::size_t remembered_max = 65'536;
    using Numbers = std::unordered_map<std::string, std::int64_t>;

    Result<std::int64_t, StoreError> number_of(Numbers& known, const Statement& find,
                                               const std::string& name, std::int64_t& newest);
    std::optional<StoreError> write_senders(const Batch& batch);
    std::optional<StoreError> write_log(const Batch& batch);
    std::optional<StoreError> write_once(const Batch& batch) const;
    std::optional<StoreError> write_work(const Batch& batch) const;
    std::optional<StoreError> write_questions(const Batch& batch) const;
    std::optional<StoreError> write_sessions(const Batch& batch) const;

    SessionTables* sessions_ = nullptr;
    UpkeepTables upkeep_;
    Database* database_ = nullptr;
    Statement standing_, raise_fence_, fence_;
    Statement find_producer_, put_producer_, put_verdict_;
    Statement find_room_, put_room_, append_, rewrite_;
    Statement put_once_, put_task_, end_task_, put_question_, end_question_;
    Numbers rooms_, producers_;  // seen lately
    std::int64_t last_room_ = 0;
    std::int64_t last_producer_ = 0;
};

}  // namespace oncewire::store::sqlite
