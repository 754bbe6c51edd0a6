#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/store/sqlite_database.hpp"
#include "server/store/sqlite_store.hpp"
#include "shared/base/result.hpp"

namespace oncewire::store {

/// A copy of a database being made, some pages at a time. The copy has no epoch: whoever starts with it
/// begins a new history, so that readers are told and senders offer again what they hold (R11).
///
/// It grows under `NAME.part` and gets its name when all of it is there and fsynced. Given up before
/// that, nothing is left behind.
class SqliteBackup {
  public:
    ~SqliteBackup();
    SqliteBackup(const SqliteBackup&) = delete;
    SqliteBackup& operator=(const SqliteBackup&) = delete;

    /// `from` must outlive it. `to` must not exist.
    static Result<std::unique_ptr<SqliteBackup>, SqliteStore::OpenError> begin(
        sqlite::Database& from, const std::string& to);
    /// Copies the next megabyte. True: done, and nothing remains to be called.
    Result<bool, SqliteStore::OpenError> step();

  private:
    SqliteBackup(std::string to, std::unique_ptr<sqlite::Database> copy, sqlite::PageCopy pages)
        : to_(std::move(to)), copy_(std::move(copy)), pages_(std::move(pages)) {}
    Result<void, sqlite::Failure> finish();

    std::string to_;
    std::unique_ptr<sqlite::Database> copy_;
    std::optional<sqlite::PageCopy> pages_;
};

}  // namespace oncewire::store
