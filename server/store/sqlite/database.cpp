#include "server/store/sqlite/database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <set>
#include <utility>

#include "server/store/rows.hpp"
#include "server/store/sqlite/migrations.hpp"

namespace oncewire::store::sqlite {
namespace {

/// SQLite counts the bytes it allocates under a lock of the whole process, and nobody here asks for the sum. Does
/// nothing in a program that has used SQLite already.
void count_no_bytes() {
    [[maybe_unused]] static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

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

bool is_ours(const char* table) {
    const std::string_view name = table ? table : "";
    return std::find(std::begin(own_tables), std::end(own_tables), name) != std::end(own_tables);
}

/// INSERT OR ROLLBACK and the like end the whole batch's transaction, and SQLite asks nobody. Values are
/// bound, so the word stands in statements of that kind only.
bool says_rollback(std::string_view sql) {
    constexpr std::string_view word = "rollback";
    return std::search(sql.begin(), sql.end(), word.begin(), word.end(),
                       [](char a, char b) { return (a | 0x20) == b; }) != sql.end();
}

/// What an application's statement may do; SQLite asks for each part of it.
int permit(int action, const char* first, const char* second, bool may_define) {
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_FUNCTION:
        case SQLITE_RECURSIVE:
            return SQLITE_OK;
        case SQLITE_READ:
        case SQLITE_UPDATE:
        case SQLITE_INSERT:
        case SQLITE_DELETE:
            if (is_ours(first)) return SQLITE_DENY;
            return may_define || std::string_view(first).substr(0, 7) != "sqlite_" ? SQLITE_OK
                                                                                   : SQLITE_DENY;
        case SQLITE_CREATE_TABLE:
        case SQLITE_DROP_TABLE:
            return may_define && !is_ours(first) ? SQLITE_OK : SQLITE_DENY;
        case SQLITE_ALTER_TABLE:
        case SQLITE_CREATE_INDEX:
        case SQLITE_DROP_INDEX:
            return may_define && !is_ours(second) ? SQLITE_OK : SQLITE_DENY;
        case SQLITE_REINDEX:
            return may_define ? SQLITE_OK : SQLITE_DENY;
        default:
            return SQLITE_DENY;
    }
}

int permit_data(void*, int action, const char* first, const char* second, const char*,
                const char*) {
    return permit(action, first, second, false);
}

int permit_definition(void*, int action, const char* first, const char* second, const char*,
                      const char*) {
    return permit(action, first, second, true);
}

void digest_argument(sqlite3_context* context, int, sqlite3_value** values) {
    const void* text = sqlite3_value_blob(values[0]);  // null if it is empty
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
    const std::string digest =
        digest_of_body(text ? std::string_view(static_cast<const char*>(text), size) : "");
    sqlite3_result_text(context, digest.data(), static_cast<int>(digest.size()), SQLITE_TRANSIENT);
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

Run::Run(const Statement& statement, const std::vector<SqlValue>& values)
    : statement_(statement.made_.get()) {
    for (const SqlValue& value : values) bind(value);
    step();
}

std::optional<SqlError> Run::sql_error() const {
    if (code_ == SQLITE_OK) return std::nullopt;
    const int kind = code_ & 0xff;
    const bool is_own = kind == SQLITE_CONSTRAINT || kind == SQLITE_MISMATCH ||
                        kind == SQLITE_ERROR || kind == SQLITE_RANGE || kind == SQLITE_TOOBIG;
    SqlError error{std::nullopt, kind == SQLITE_CONSTRAINT,
                   sqlite3_errmsg(sqlite3_db_handle(statement_))};
    if (!is_own) error.store = error_of(code_);
    return error;
}

SqlRow Run::row() const {
    SqlRow row;
    for (int column = 0; column < sqlite3_column_count(statement_); ++column) {
        switch (sqlite3_column_type(statement_, column)) {
            case SQLITE_INTEGER:
                row.emplace_back(integer(column));
                break;
            case SQLITE_FLOAT:
                row.emplace_back(sqlite3_column_double(statement_, column));
                break;
            case SQLITE_NULL:
                row.emplace_back();
                break;
            default:
                row.emplace_back(text(column));
        }
    }
    return row;
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

void Run::bind(const SqlValue& value) {
    if (code_ != SQLITE_OK) return;
    if (const auto* number = std::get_if<std::int64_t>(&value)) return bind(*number);
    if (const auto* text = std::get_if<std::string>(&value)) return bind(std::string_view(*text));
    const auto* real = std::get_if<double>(&value);
    ++bound_;
    code_ = real ? sqlite3_bind_double(statement_, bound_, *real)
                 : sqlite3_bind_null(statement_, bound_);
}

// ---- Database ------------------------------------------------------------------------------------

namespace {

/// 2 s: for another process to let go of the file.
constexpr int busy_ms = 2000;

}  // namespace

/// Blanks what no row of a page uses, in every page that is written to the database's file.
///
/// When SQLite spreads rows over other pages, copies of them stay where they were, between the list of a
/// page's cells and the first cell. secure_delete knows nothing of these: the row is deleted or replaced
/// later, and elsewhere. The write-ahead log holds them, too (its checksums cover them), until it is
/// emptied.
struct Database::Blanker {
    sqlite3_io_methods methods;  // first: a file finds us by it
    const sqlite3_io_methods* behind = nullptr;
    std::string page;

    /// Until the file is closed it writes by way of us.
    explicit Blanker(sqlite3_file* file) : methods(*file->pMethods), behind(file->pMethods) {
        methods.xWrite = &Blanker::write;
        file->pMethods = &methods;
    }

    static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
        auto* self = reinterpret_cast<Blanker*>(const_cast<sqlite3_io_methods*>(file->pMethods));
        return self->behind->xWrite(file, self->blanked(file, bytes, count, at), count, at);
    }

    const void* blanked(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
        const auto size = static_cast<std::size_t>(count);
        const auto [first, last] = unused_in(bytes, size, at);
        const char* all = static_cast<const char*>(bytes);
        if (std::all_of(all + first, all + last, [](char each) { return each == 0; })) return bytes;
        // Of what is no page of rows the first byte is one of a page number, and small in a file that is.
        constexpr sqlite3_int64 pages_max = 0x0500'0000;
        sqlite3_int64 length = 0;
        if (behind->xFileSize(file, &length) != SQLITE_OK || length / count > pages_max)
            return bytes;
        page.assign(all, size);
        std::fill(page.begin() + static_cast<std::ptrdiff_t>(first),
                  page.begin() + static_cast<std::ptrdiff_t>(last), '\0');
        return page.data();
    }

    /// From where to where; the same twice if it is no page of rows (a leaf of a table or an index).
    static std::pair<std::size_t, std::size_t> unused_in(const void* bytes, std::size_t size,
                                                         sqlite3_int64 at) {
        constexpr unsigned table_leaf = 13, index_leaf = 10;
        constexpr std::size_t page_min = 512, file_header = 100, page_header = 8;
        const auto* page = static_cast<const unsigned char*>(bytes);
        const std::size_t header = at == 0 ? file_header : 0;
        if (size < page_min || at % static_cast<sqlite3_int64>(size) != 0) return {0, 0};
        if (page[header] != table_leaf && page[header] != index_leaf) return {0, 0};
        const auto number = [&](std::size_t i) {
            return page[header + i] * 256u + page[header + i + 1];
        };
        const std::size_t first = header + page_header + std::size_t{2} * number(3);
        const std::size_t last = number(5) == 0 ? 65'536 : number(5);
        if (first > last || last > size) return {0, 0};
        return {first, last};
    }
};

/// The lock keeps other processes out; this keeps out a second store of this one.
class Database::Claim {
  public:
    /// Null: somebody has it.
    static std::unique_ptr<Claim> make(const fs::path& file) {
        const std::lock_guard lock(mutex());
        if (!claimed().insert(file).second) return nullptr;
        return std::unique_ptr<Claim>(new Claim(file));
    }
    ~Claim() {
        const std::lock_guard lock(mutex());
        claimed().erase(file_);
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

  private:
    explicit Claim(fs::path file) : file_(std::move(file)) {}
    static std::mutex& mutex() {
        static std::mutex made;
        return made;
    }
    static std::set<fs::path>& claimed() {
        static std::set<fs::path> files;
        return files;
    }
    fs::path file_;
};

Database::Database(sqlite3* db) : db_(db) {}
Database::~Database() = default;
Database::Database(Database&&) noexcept = default;
/// What was open is closed before the blanker that it writes through goes.
Database& Database::operator=(Database&& other) noexcept {
    db_ = std::move(other.db_);
    blanker_ = std::move(other.blanker_);
    claim_ = std::move(other.claim_);
    return *this;
}

void Database::Close::operator()(sqlite3* db) const { sqlite3_close(db); }

Result<Database, Failure> Database::open(const std::string& path, Use use) {
    // NOMUTEX: each connection has one thread. An absolute path, because Debian's SQLite takes a name that
    // begins with "file:" for a URI with settings in it. "unix-excl": the first connection locks the file for
    // this process, and the log's index is in its memory, where no other process maps it.
    const bool is_file = path != ":memory:";
    const std::string name = is_file ? fs::absolute(path).string() : path;
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    std::unique_ptr<Claim> claim;
    if (is_file && use != Use::beside) {
        std::error_code unknown;
        claim = Claim::make(fs::weakly_canonical(name, unknown));
        if (!claim) return Err{failure_of(SQLITE_BUSY)};
    }
    count_no_bytes();
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(name.c_str(), &opened, flags, is_file ? "unix-excl" : nullptr);
    Database database(opened);
    database.claim_ = std::move(claim);
    if (code != SQLITE_OK) return Err{failure_of(code)};
    // A file that may not be written is opened for reading, silently.
    if (sqlite3_db_readonly(opened, "main") == 1) return Err{failure_of(SQLITE_READONLY)};
    if (const auto done = database.set_up(use); !done) return Err{done.error()};
    return database;
}

Result<void, Failure> Database::set_up(Use use) {
    sqlite3_busy_timeout(db_.get(), busy_ms);
    // A damaged or hostile file shall not make SQLite run what its schema says.
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    const auto set = execute("PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON");
    if (!set) return set;
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (use != Use::write) return execute("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0");
    // For a step of the schema.
    const int defined = sqlite3_create_function_v2(
        db_.get(), "digest_of_body", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
        nullptr, &digest_argument, nullptr, nullptr, nullptr);
    if (defined != SQLITE_OK) return Err{failure_of(defined)};
    sqlite3_file* file = nullptr;
    sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
    // A database in memory has none.
    if (file && file->pMethods) blanker_ = std::make_unique<Blanker>(file);
    return {};
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

Result<Statement, SqlError> Database::prepare_foreign(std::string_view sql, bool may_define) {
    if (says_rollback(sql)) {
        return Err{SqlError{std::nullopt, false, "it may not say ROLLBACK: reject the message"}};
    }
    sqlite3_set_authorizer(db_.get(), may_define ? permit_definition : permit_data, nullptr);
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                        may_define ? 0 : SQLITE_PREPARE_PERSISTENT, &made, &rest);
    const std::string reason = sqlite3_errmsg(db_.get());
    sqlite3_set_authorizer(db_.get(), nullptr, nullptr);
    Statement statement(made);
    if (code != SQLITE_OK) {
        const int kind = code & 0xff;
        const bool is_own = kind == SQLITE_ERROR || kind == SQLITE_AUTH || kind == SQLITE_TOOBIG;
        return Err{SqlError{is_own ? std::nullopt : std::optional(error_of(code)), false, reason}};
    }
    const std::string_view left(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
    if (!made || left.find_first_not_of(" \n\t;") != left.npos) {
        return Err{SqlError{std::nullopt, false, "it must be one statement"}};
    }
    return statement;
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

Result<bool, Failure> Database::empty_log() {
    // Who reads beside it lets go within milliseconds; who does not must not hold up who stores.
    constexpr int patience_ms = 50;
    sqlite3_busy_timeout(db_.get(), patience_ms);
    const int code =
        sqlite3_wal_checkpoint_v2(db_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    sqlite3_busy_timeout(db_.get(), busy_ms);
    const int kind = code & 0xff;
    if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED) return false;
    if (code != SQLITE_OK) return Err{failure_of(code)};
    // Pages in memory are as they were before they were blanked, and would go to the log again.
    sqlite3_db_release_memory(db_.get());
    return true;
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
