#pragma once

#include <cstdint>

#include "server/store/facts.hpp"
#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/log_table.hpp"
#include "server/store/sqlite/sessions.hpp"

namespace oncewire::store::sqlite {

/// Answers what is wanted from the tables of one open database.
class Fetcher {
  public:
    /// All of them outlive this.
    Result<void, Failure> prepare(Database& database, LogTable& log, SessionTables& sessions);
    Result<Facts, StoreError> fetch(const Wanted& wanted) const;

  private:
    using Trouble = std::optional<StoreError>;
    Trouble fetch_log(const Wanted& wanted, Facts& facts) const;
    Trouble fetch_once(const Wanted::OnceKey& key, std::vector<OnceRow>& rows) const;
    Trouble fetch_senders(const Wanted& wanted, Facts& facts) const;
    Trouble fetch_by_digest(const Wanted::DigestKey& key, Facts::ByDigest& found) const;
    Trouble fetch_questions(const Wanted& wanted, Facts& facts) const;
    Trouble fetch_sessions(const Wanted& wanted, Facts& facts) const;
    Trouble fetch_due(const Wanted& wanted, Facts& facts) const;

    LogTable* log_ = nullptr;
    SessionTables* sessions_ = nullptr;
    Statement room_, producer_, verdict_;
    Statement digests_to_, count_beyond_, by_digest_, by_digest_beyond_;
    Statement once_oldest_, once_by_scope_, once_by_body_;
    Statement question_, questions_to_, count_questions_, expiring_questions_;
    Statement tasks_, idle_producers_;
};

}  // namespace oncewire::store::sqlite
