#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/store.hpp"
#include "shared/base/result.hpp"

namespace oncewire::store {

/// A copy of a database being made, some pages at a time. The copy has no epoch: whoever starts with it
/// begins a new history, so that readers are told and senders offer again what they hold (R11).
///
/// It grows under a name that no file had, `NAME.part-` and six characters, and gets its own when all of it
/// is there and fsynced. Given up before that, nothing is left behind; when the process dies, the part is.
/// No other file is touched, whatever its name.
class SqliteBackup {
  public:
    ~SqliteBackup();
    SqliteBackup(const SqliteBackup&) = delete;
    SqliteBackup& operator=(const SqliteBackup&) = delete;

    /// None: `to` will do. Names with control characters are refused: they cannot be told in one line.
    static std::optional<SqliteStore::OpenError> refuse_name(const std::string& to);
    /// `from` must outlive it. `to` must not exist.
    static Result<std::unique_ptr<SqliteBackup>, SqliteStore::OpenError> begin(
        sqlite::Database& from, const std::string& to);
    /// Copies the next megabyte. True: done, and nothing remains to be called.
    Result<bool, SqliteStore::OpenError> step();

  private:
    SqliteBackup(std::string to, std::string part) : to_(std::move(to)), part_(std::move(part)) {}
    Result<void, sqlite::Failure> copy_from(sqlite::Database& from);
    Result<void, sqlite::Failure> finish();

    std::string to_;
    std::string part_;  // our own file; empty when it has its name
    std::unique_ptr<sqlite::Database> copy_;
    std::optional<sqlite::PageCopy> pages_;
};

}  // namespace oncewire::store
