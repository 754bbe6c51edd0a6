// VERIFY here: sequencer::Reader looks before it reads, whatever a peer asks for.
#include "server/store/sqlite/reading.hpp"

#include <utility>

#include "server/store/sqlite/foreign.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::store {

using sqlite::Run;

struct SqliteReading::Door::Connection {
    sqlite::Database database;
    sqlite::Statement begin, end;
    sqlite::LogTable log;
    sqlite::SessionTables sessions;
    sqlite::ForeignStatements foreign;

    explicit Connection(sqlite::Database opened) : database(std::move(opened)) {}

    Result<void, sqlite::Failure> prepare() {
        // 2 MiB: what readers who come back together ask for, some 12,000 entries. Behind it is the system's cache.
        const auto tuned =
            database.execute("PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY");
        if (!tuned) return tuned;
        for (const auto& [statement, sql] :
             {std::pair<sqlite::Statement&, const char*>(begin, "BEGIN"), {end, "COMMIT"}}) {
            auto prepared = database.prepare(sql);
            if (!prepared) return Err{prepared.error()};
            statement = std::move(*prepared);
        }
        if (const auto done = log.prepare(database); !done) return done;
        return sessions.prepare(database);
    }
};

void SqliteReading::Door::Close::operator()(Connection* connection) const { delete connection; }

void SqliteReading::Door::close() {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
    connection_.reset();
}

void SqliteReading::Door::open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
}

Result<void, StoreError> SqliteReading::Door::connect() {
    if (!is_open_) return Err{StoreError::io};
    if (connection_) return {};
    auto database = sqlite::Database::open(path_, sqlite::Database::Use::beside);
    if (!database) return Err{database.error().error};
    std::unique_ptr<Connection, Close> made(new Connection(std::move(*database)));
    if (const auto prepared = made->prepare(); !prepared) return Err{prepared.error().error};
    connection_ = std::move(made);
    return {};
}

SqliteReading::~SqliteReading() { let_go(); }

Result<LogHead, StoreError> SqliteReading::look() {
    VERIFY(!looking_);
    looking_ = std::unique_lock(door_->mutex_);
    if (const auto connected = door_->connect(); !connected) return Err{connected.error()};
    if (const auto error = Run(door_->connection_->begin).error()) return Err{*error};
    // The first thing that is read sets the moment.
    const auto head = door_->connection_->log.head();
    if (!head) return Err{head.error().error};
    head_ = head->offset;
    return *head;
}

void SqliteReading::let_go() {
    if (!looking_) return;
    auto& connection = door_->connection_;
    if (connection && connection->database.in_transaction()) Run(connection->end);
    looking_.unlock();
    looking_ = {};
}

Result<std::vector<LogEntry>, StoreError> SqliteReading::read(const std::vector<std::string>& rooms,
                                                              delivery::Offset after,
                                                              std::uint32_t entries_max,
                                                              std::uint64_t bytes_max) {
    VERIFY(looking_);
    return door_->connection_->log.read(rooms, after, head_, entries_max, bytes_max);
}

Result<std::vector<LogEntry>, StoreError> SqliteReading::read_before(std::string_view room,
                                                                     delivery::Offset before,
                                                                     std::uint32_t entries_max,
                                                                     std::uint64_t bytes_max) {
    VERIFY(looking_);
    return door_->connection_->log.read_before(room, before, head_, entries_max, bytes_max);
}

Result<std::optional<LogEntry>, StoreError> SqliteReading::find_entry(std::string_view room,
                                                                      delivery::Offset offset) {
    VERIFY(looking_);
    return door_->connection_->log.find_entry(room, offset);
}

Result<delivery::Offset, StoreError> SqliteReading::trimmed_to(
    const std::vector<std::string>& rooms) {
    VERIFY(looking_);
    return door_->connection_->log.trimmed_to(rooms);
}

Result<std::optional<SessionRow>, StoreError> SqliteReading::find_session(std::string_view pid) {
    VERIFY(looking_);
    return door_->connection_->sessions.find(pid);
}

Result<std::vector<RecordedEvent>, StoreError> SqliteReading::read_recorded(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    VERIFY(looking_);
    return door_->connection_->sessions.read(rooms, after, head_, entries_max, bytes_max);
}

Result<Pruned, StoreError> SqliteReading::pruned() {
    VERIFY(looking_);
    return door_->connection_->sessions.pruned();
}

Result<std::vector<SqlRow>, SqlError> SqliteReading::run_sql(std::string_view statement,
                                                             const std::vector<SqlValue>& values) {
    VERIFY(looking_);
    auto& connection = *door_->connection_;
    auto rows = connection.foreign.run(connection.database, statement, values);
    if (rows || rows.error().store != StoreError::read_only) return rows;
    return Err{SqlError{std::nullopt, false, "a lookup may not change anything"}};
}

}  // namespace oncewire::store
