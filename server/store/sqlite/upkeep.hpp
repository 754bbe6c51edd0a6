#pragma once

#include <cstdint>
#include <string>

#include "server/store/batch.hpp"
#include "server/store/sqlite/database.hpp"

namespace oncewire::store::sqlite {

/// Lets go of old entries and old verdicts, and prepares verdicts for being found by digest, in the tables of one
/// open database. As Writer: in the open transaction, to be rolled back after an error.
class UpkeepTables {
  public:
    Result<void, Failure> prepare(Database& database);
    /// All of it but what concerns sessions.
    Result<Written, StoreError> write(const Upkeep& upkeep);
    /// What was written is rolled back.
    void forget() { trimming_after_ = 0; }

  private:
    struct Room {
        std::int64_t id = 0;
        std::string name;
        std::uint64_t last_seq = 0;
    };
    std::optional<StoreError> forget_verdicts(const Upkeep& upkeep, Written& written) const;
    std::optional<StoreError> prepare_digests(const Upkeep& upkeep) const;
    std::optional<StoreError> trim(const Upkeep::Trim& trim, Written& written);
    Result<std::uint32_t, StoreError> trim_one(const Room& room, const RetentionRule& rule,
                                               UnixMillis now, std::uint32_t entries_max) const;

    Statement next_room_, oldest_in_room_, trim_room_, set_trimmed_;
    Statement find_producer_, renew_producer_;
    Statement oldest_verdicts_, forget_verdicts_, forget_digests_, set_forgotten_;
    Statement verdicts_beyond_, copy_digests_, set_digests_to_;
    std::int64_t trimming_after_ = 0;  // the room that was looked at last
};

}  // namespace oncewire::store::sqlite
