#include "server/store/sqlite_database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

namespace oncewire::store::sqlite {
namespace {

namespace fs = std::filesystem;

StoreError error_of(int code) {
    switch (code & 0xff) {  // the rest says which kind of SQLITE_IOERR and so on
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return StoreError::busy;
        case SQLITE_FULL:
            return StoreError::full;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return StoreError::read_only;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_CONSTRAINT:  // our statements cannot break one in a sound file
        case SQLITE_MISMATCH:
            return StoreError::corrupt;
        default:
            return StoreError::io;
    }
}

Failure failure_of(int code) {
    const StoreError error = error_of(code);
    if (code == SQLITE_NOTADB) return {error, "it is not a database"};
    if (error == StoreError::busy) {
        return {error, "another program has it open; is the server running already?"};
    }
    if (error == StoreError::read_only) return {error, "it may not be written"};
    if (error == StoreError::full) return {error, "there is no space left on its disk"};
    return {error, sqlite3_errstr(code)};
}

Result<void, Failure> result_of(int code) {
    if (code == SQLITE_OK) return {};
    return Err{failure_of(code)};
}

}  // namespace

// ---- Statement, Run ------------------------------------------------------------------------------

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Run::~Run() { sqlite3_reset(statement_); }

std::optional<StoreError> Run::error() const {
    if (code_ == SQLITE_OK) return std::nullopt;
    return error_of(code_);
}

void Run::step() {
    if (code_ != SQLITE_OK) return;
    const int code = sqlite3_step(statement_);
    has_row_ = code == SQLITE_ROW;
    if (code != SQLITE_ROW && code != SQLITE_DONE) code_ = code;
}

std::int64_t Run::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Run::text(int column) const {
    const void* bytes = sqlite3_column_blob(statement_, column);  // null if the text is empty
    if (!bytes) return {};
    return {static_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Run::bind(std::int64_t value) {
    if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, ++bound_, value);
}

void Run::bind(std::string_view value) {
    if (code_ != SQLITE_OK) return;
    const char* bytes = value.data() ? value.data() : "";  // a null pointer would bind NULL
    code_ =
        sqlite3_bind_text64(statement_, ++bound_, bytes, value.size(), SQLITE_STATIC, SQLITE_UTF8);
}

// ---- Database ------------------------------------------------------------------------------------

void Database::Close::operator()(sqlite3* db) const { sqlite3_close(db); }

Result<Database, Failure> Database::open(const std::string& path, Use use) {
    // NOMUTEX: the store has one thread. An absolute path, because Debian's SQLite takes a name that
    // begins with "file:" for a URI with settings in it.
    const std::string name = path == ":memory:" ? path : fs::absolute(path).string();
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
    Database database(opened);
    if (code != SQLITE_OK) return Err{failure_of(code)};
    // A file that may not be written is opened for reading, silently.
    if (sqlite3_db_readonly(opened, "main") == 1) return Err{failure_of(SQLITE_READONLY)};

    sqlite3_busy_timeout(opened, 2000);
    // A damaged or hostile file shall not make SQLite run what its schema says.
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    // EXCLUSIVE before the first read, or the log's index would go to memory that others can map.
    const auto locked =
        database.execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON");
    if (!locked) return Err{locked.error()};
    sqlite3_db_config(opened, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (use == Use::inspect) {
        if (const auto set = database.execute("PRAGMA query_only = ON"); !set) {
            return Err{set.error()};
        }
    }
    return database;
}

Result<void, Failure> Database::make_durable(Durability durability) {
    const bool fsyncs = durability == Durability::disk;
    const auto set = execute(fsyncs ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    if (!set) return set;
    const auto statement = prepare("PRAGMA journal_mode = WAL");
    if (!statement) return Err{statement.error()};
    const Run run(*statement);
    if (run.error()) return Err{Failure{*run.error(), "its write-ahead log cannot be set up"}};
    // Where it cannot be had, SQLite keeps what it has and reports no error.
    if (run.text(0) == "wal" || run.text(0) == "memory") return {};
    return Err{Failure{StoreError::io, "its file system cannot hold a write-ahead log"}};
}

Result<void, Failure> Database::execute(const std::string& sql) {
    return result_of(sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

Result<Statement, Failure> Database::prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    const int code =
        sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code != SQLITE_OK) return Err{failure_of(code)};
    return Statement(made);
}

Result<std::int64_t, Failure> Database::integer(const char* sql) {
    const auto statement = prepare(sql);
    if (!statement) return Err{statement.error()};
    const Run run(*statement);
    if (run.error()) return Err{failure_of(sqlite3_extended_errcode(db_.get()))};
    return run.has_row() ? run.integer(0) : 0;
}

Result<void, Failure> Database::rewrite_log() {
    sqlite3_file* log = nullptr;
    sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (!log || !log->pMethods) return {};  // a database in memory, or nothing was written yet
    const sqlite3_io_methods& file = *log->pMethods;

    sqlite3_int64 size = 0;
    int code = file.xFileSize(log, &size);
    std::string part(64u << 10, '\0');
    for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size;) {
        const int count = static_cast<int>(std::min<sqlite3_int64>(size - at, 64 << 10));
        code = file.xRead(log, part.data(), count, at);
        if (code == SQLITE_OK) code = file.xWrite(log, part.data(), count, at);
        at += count;
    }
    if (code == SQLITE_OK) code = file.xSync(log, SQLITE_SYNC_NORMAL);
    return result_of(code);
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

void Database::tidy_at_end() {
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

// ---- PageCopy ------------------------------------------------------------------------------------

void PageCopy::Finish::operator()(sqlite3_backup* copying) const { sqlite3_backup_finish(copying); }

Result<PageCopy, Failure> PageCopy::begin(Database& from, Database& to) {
    sqlite3_backup* copying = sqlite3_backup_init(to.db_.get(), "main", from.db_.get(), "main");
    if (!copying) return Err{failure_of(sqlite3_extended_errcode(to.db_.get()))};
    return PageCopy(copying);
}

Result<bool, Failure> PageCopy::step(int pages) {
    const int code = sqlite3_backup_step(copying_.get(), pages);
    if (code == SQLITE_OK || code == SQLITE_DONE) return code == SQLITE_DONE;
    return Err{failure_of(code)};
}

}  // namespace oncewire::store::sqlite
