#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/store/operated_store.hpp"
#include "server/store/sqlite/reading.hpp"

namespace oncewire::store {

namespace sqlite {
struct Failure;
class Ballast;
class HeadMark;
class UnflushedMark;
}  // namespace sqlite
class SqliteBackup;

/// A Store in one SQLite file (and its -wal beside it), fsynced at each commit.
///
/// One connection does everything and holds the file's lock while it is open, for the reason given at
/// sqlite::Database. So a second server, or the sqlite3 shell, is told "locked" as long as this one
/// runs, and backup has to go through us.
///
/// A transaction is open from the first statement of an application on, or else while write() runs.
class SqliteStore final : public OperatedStore {
  public:
    using OpenError = store::OpenError;
    struct Options {
        /// Below this much free space a transaction is refused as `full` rather than fail half way at its commit: a
        /// failed commit costs its senders their connections. 8 MiB hold the write-ahead log at its
        /// usual 1,000 pages and the checkpoint that empties it.
        std::uint64_t free_bytes_min = 8u << 20;
        /// Kept back in a file of its own, if that much is easily spared; given up when space runs out.
        std::uint64_t ballast_bytes = 16u << 20;
        /// `disk`, or `process`: no fsync, so power loss takes what was committed last. Whoever opens
        /// the file after that begins a new history.
        Durability durability = Durability::disk;
        /// The file is an older copy, put back on purpose: what is in it begins a new history.
        bool restored = false;
    };

    /// Opens `path`, or makes it (mode 0600) with `epoch_if_new`. `:memory:` is allowed, durability
    /// memory. Does not make directories. Blocks up to 2 s if another process has the file.
    static Result<std::unique_ptr<SqliteStore>, OpenError> open(const std::string& path,
                                                                const delivery::Epoch& epoch_if_new,
                                                                Options options);
    static Result<std::unique_ptr<SqliteStore>, OpenError> open(
        const std::string& path, const delivery::Epoch& epoch_if_new);
    ~SqliteStore() override;
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;

    Result<void, OpenError> begin_backup(const std::string& to) override;
    /// Copies the next megabyte.
    Result<bool, OpenError> step_backup() override;
    Result<Whereabouts, StoreError> find_message(const MessageKey& key) override;

    Durability durability() const override;
    LogHead head() const override { return head_; }
    Numbers numbers() const override { return numbers_; }

    Result<Facts, StoreError> fetch(const Wanted& wanted) override;
    Written write(const Batch& batch) override;
    Result<void, StoreError> reopen() override;
    Result<bool, StoreError> erase_traces() override;

    ApplicationTables& tables() override;
    Reading& reading() override;
    /// Null for `:memory:`. Must be gone before the store.
    std::unique_ptr<Reading> open_reading() override;

  private:
    struct Connection;  // the database and the prepared statements
    class Tables;       // the application's
    class Eyes;         // which read

    SqliteStore(std::string path, Options options, std::unique_ptr<Connection> connection);

    Result<void, sqlite::Failure> load();
    bool has_space();
    std::optional<LogHead> newest_known() const;
    /// What stands in the way of doing anything, if anything does.
    std::optional<StoreError> trouble() const;
    Result<void, StoreError> begin();
    WriteOutcome commit();
    void rollback();

    std::string path_;
    Options options_;
    std::vector<std::shared_ptr<SqliteReading::Door>> doors_;  // of those who read beside it
    std::unique_ptr<Connection> connection_;  // null after a reopen() that could not open
    std::unique_ptr<SqliteBackup> backup_;    // reads through the connection
    std::unique_ptr<sqlite::HeadMark> mark_;
    std::unique_ptr<sqlite::UnflushedMark> unflushed_;  // while commits are not fsynced
    std::unique_ptr<sqlite::Ballast> ballast_;
    std::unique_ptr<Tables> tables_;
    std::unique_ptr<Eyes> eyes_;

    LogHead head_;
    Numbers numbers_;
    std::uint64_t fence_ = 0;  // 0: not taken yet
    bool in_transaction_ = false;
    bool has_savepoint_ = false;
    bool needs_reopen_ = false;
    std::optional<StoreError> spoilt_;  // the open transaction, by a statement of the application
};

}  // namespace oncewire::store
