#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/store/durability.hpp"
#include "server/store/error.hpp"
#include "server/store/sql.hpp"
#include "shared/base/result.hpp"

struct sqlite3;
struct sqlite3_backup;
struct sqlite3_stmt;

/// SQLite and its file as the store needs them, and the only door to <sqlite3.h>.
namespace oncewire::store::sqlite {

/// Why a database could not be opened or set up.
struct Failure {
    StoreError error = StoreError::io;
    std::string reason;  ///< for people
};

/// A prepared statement; finalized with this. Must not outlive its Database.
class Statement {
  public:
    Statement() = default;
    explicit Statement(sqlite3_stmt* made) : made_(made) {}

  private:
    friend class Run;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> made_;
};

/// One execution of a Statement: binds all parameters, takes the first step, and resets the statement
/// at the end of its life. Text is not copied: it must live as long as this does.
class Run {
  public:
    template <class... Args>
    explicit Run(const Statement& statement, const Args&... args)
        : statement_(statement.made_.get()) {
        (bind(args), ...);
        step();
    }
    /// An application's statement. It does not say which of its parameters are missing: those are NULL.
    Run(const Statement& statement, const std::vector<SqlValue>& values);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    std::optional<StoreError> error() const;
    /// For a statement of an application, whose own mistakes are no trouble of the store's.
    std::optional<SqlError> sql_error() const;
    SqlRow row() const;
    bool has_row() const { return has_row_; }
    void step();

    std::int64_t integer(int column) const;
    std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
    std::string text(int column) const;

  private:
    void bind(std::int64_t value);
    /// SQLite has signed integers only; number() gives it back as it was.
    void bind(std::uint64_t value) { bind(static_cast<std::int64_t>(value)); }
    void bind(std::string_view value);
    void bind(const SqlValue& value);

    sqlite3_stmt* statement_;
    int bound_ = 0;
    int code_ = 0;
    bool has_row_ = false;
};

/// For a statement that gives no rows.
template <class... Args>
std::optional<StoreError> run(const Statement& statement, const Args&... args) {
    return Run(statement, args...).error();
}

/// One connection. Holds the file's lock from open() to its end, so that no other process has one: SQLite
/// 3.7.0 to 3.51.2 (Debian 12 has 3.40.1) can damage a file when two connections checkpoint it, and
/// a program that merely looks becomes the second by closing last. In this process there may be others that
/// only read (Use::beside): they never checkpoint.
///
/// What is deleted or replaced leaves no byte in the file: SQLite overwrites it (secure_delete), and where
/// it moves rows from page to page, of which it leaves copies behind, they are blanked on their way to the
/// file.
class Database {
  public:
    enum class Use : std::uint8_t {
        write,
        inspect,
        beside,  ///< another connection of this process writes
    };
    /// `path`: a file that exists (it may be empty), or `:memory:`. Waits up to 2 s for another
    /// process to let go of it; in this process only one may have it that is not Use::beside. Does not write to it.
    static Result<Database, Failure> open(const std::string& path, Use use = Use::write);
    ~Database();
    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;

    /// Write-ahead log, and for Durability::disk an fsync in each commit. Writes: call it when the file
    /// is known as ours.
    Result<void, Failure> make_durable(Durability durability);
    Result<void, Failure> execute(const std::string& sql);
    Result<Statement, Failure> prepare(const char* sql);
    /// One statement of an application: it may neither touch `own_tables` nor end the transaction, change
    /// settings or open other files. `may_define`: it may make and drop tables of its own.
    Result<Statement, SqlError> prepare_foreign(std::string_view sql, bool may_define);
    /// The first column of the first row; 0 if there is none or it is NULL.
    Result<std::int64_t, Failure> integer(const char* sql);
    /// Writes the write-ahead log over with what it holds, and fsyncs it; needs no space. What an
    /// earlier fsync failed on may be in the kernel's cache only, and marked clean, so that later
    /// fsyncs skip it and power loss leaves the beginning of the log, which would take the database
    /// back over checkpoints made since. So whatever can be read after this is durable.
    Result<void, Failure> rewrite_log();
    /// Brings the write-ahead log into the file and makes it 0 bytes long. False: something is read.
    Result<bool, Failure> empty_log();
    bool in_transaction() const;
    /// It is found to be sound: closing may bring the write-ahead log into the file and remove it. Until
    /// this closing changes nothing, since what is there may be evidence.
    void tidy_at_end();

  private:
    friend class PageCopy;
    struct Close {
        void operator()(sqlite3* db) const;
    };
    struct Blanker;
    class Claim;
    explicit Database(sqlite3* db);
    Result<void, Failure> set_up(Use use);
    std::unique_ptr<Claim> claim_;      // outlives the connection
    std::unique_ptr<Blanker> blanker_;  // used by what closing writes
    std::unique_ptr<sqlite3, Close> db_;
};

/// Copies all of a database into another, some pages at a time, while the first goes on being written
/// through its own connection: what is written meanwhile is copied, too. Both must outlive it.
class PageCopy {
  public:
    static Result<PageCopy, Failure> begin(Database& from, Database& to);
    /// True: all of it is there. After an error the copy is worth nothing.
    Result<bool, Failure> step(int pages);

  private:
    struct Finish {
        void operator()(sqlite3_backup* copying) const;
    };
    explicit PageCopy(sqlite3_backup* copying) : copying_(copying) {}
    std::unique_ptr<sqlite3_backup, Finish> copying_;
};

}  // namespace oncewire::store::sqlite
