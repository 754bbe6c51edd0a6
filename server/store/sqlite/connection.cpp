#include "server/store/sqlite/connection.hpp"

namespace oncewire::store {

using sqlite::Failure;
using sqlite::Statement;

Result<std::unique_ptr<SqliteStore::Connection>, Failure> SqliteStore::Connection::open(
    const std::string& path, const sqlite::Opening& opening) {
    auto database = sqlite::Database::open(path);
    if (!database) return Err{database.error()};
    if (const auto done = sqlite::prepare_schema(*database, opening); !done) {
        return Err{done.error()};
    }
    // 16 MiB hold what readers who come back ask for, some 100,000 entries; SQLite's own 2 do not. In
    // memory is what a savepoint would put back: after one large batch SQLite would go on to write the
    // pages of every message to a temporary file, which is slow and can meet another full disk. Not
    // before, because a migration may sort more than memory holds.
    const auto tuned = database->execute("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY");
    if (!tuned) return Err{tuned.error()};
    auto made = std::make_unique<Connection>(std::move(*database));
    if (const auto done = made->prepare_all(); !done) return Err{done.error()};
    return made;
}

Result<void, Failure> SqliteStore::Connection::prepare_all() {
    const std::pair<Statement&, const char*> all[] = {
        {begin, "BEGIN IMMEDIATE"},
        {commit, "COMMIT"},
        {rollback, "ROLLBACK"},
        {mark, "SAVEPOINT message"},
        {undo, "ROLLBACK TO message"},
        {release, "RELEASE message"},
        {entries_at,
         "SELECT offset, name, room_seq, data, stored_at FROM log JOIN rooms ON rooms.id = room"
         " WHERE offset >= ?1 AND offset < ?2 ORDER BY offset"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database.prepare(sql);
        if (!prepared) return Err{prepared.error()};
        statement = std::move(*prepared);
    }
    if (const auto done = log.prepare(database); !done) return done;
    if (const auto done = sessions.prepare(database); !done) return done;
    if (const auto done = fetcher.prepare(database, log, sessions); !done) return done;
    return writer.prepare(database, sessions);
}

}  // namespace oncewire::store
