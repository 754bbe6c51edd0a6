#pragma once

#include <memory>
#include <string>
#include <utility>

#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/fetcher.hpp"
#include "server/store/sqlite/foreign.hpp"
#include "server/store/sqlite/log_table.hpp"
#include "server/store/sqlite/schema.hpp"
#include "server/store/sqlite/sessions.hpp"
#include "server/store/sqlite/store.hpp"
#include "server/store/sqlite/writer.hpp"

/// What stands behind a SqliteStore, for the files that make it up.
namespace oncewire::store {

/// The database and all statements on it.
struct SqliteStore::Connection {
    sqlite::Database database;
    sqlite::Statement begin, commit, rollback;
    sqlite::Statement mark, undo, release;
    sqlite::Statement entries_at;
    sqlite::LogTable log;
    sqlite::SessionTables sessions;
    sqlite::Fetcher fetcher;
    sqlite::Writer writer;
    sqlite::ForeignStatements foreign;

    explicit Connection(sqlite::Database opened) : database(std::move(opened)) {}
    static Result<std::unique_ptr<Connection>, sqlite::Failure> open(
        const std::string& path, const sqlite::Opening& opening);
    Result<void, sqlite::Failure> prepare_all();
};

}  // namespace oncewire::store
