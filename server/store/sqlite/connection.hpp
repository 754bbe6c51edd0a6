#pragma once

#include <memory>
#include <string>
#include <utility>

#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/foreign.hpp"
#include "server/store/sqlite/log_table.hpp"
#include "server/store/sqlite/schema.hpp"
#include "server/store/sqlite/sessions.hpp"
#include "server/store/sqlite/store.hpp"

/// What stands behind a SqliteStore, for the files that make it up.
namespace oncewire::store {

/// The database and all statements on it.
struct SqliteStore::Connection {
    sqlite::Database database;
    sqlite::Statement begin, commit, rollback;
    sqlite::Statement find_room, put_room, append;
    sqlite::Statement rewrite;
    sqlite::Statement find_producer, put_producer, find_verdict, put_verdict, verdict_by_digest;
    sqlite::Statement digests_to, verdicts_beyond, copy_digests, set_digests_to, forget_digests;
    sqlite::Statement once_oldest, once_by_scope, once_by_body, put_once;
    sqlite::Statement mark, undo, release, put_task, erase_task, tasks;
    sqlite::Statement next_room, oldest_in_room, trim_room, set_trimmed;
    sqlite::Statement put_question, erase_question, find_question, questions_to, count_questions;
    sqlite::Statement expiring_questions;
    sqlite::Statement idle_producers, renew_producer, oldest_verdicts, forget_verdicts,
        set_forgotten;
    sqlite::Statement entries_at;
    sqlite::LogTable log;
    sqlite::SessionTables sessions;
    sqlite::ForeignStatements foreign;

    explicit Connection(sqlite::Database opened) : database(std::move(opened)) {}
    static Result<std::unique_ptr<Connection>, sqlite::Failure> open(
        const std::string& path, const sqlite::Opening& opening);
    Result<void, sqlite::Failure> prepare_all();
};

}  // namespace oncewire::store
