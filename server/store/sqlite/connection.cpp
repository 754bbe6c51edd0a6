#include "server/store/sqlite/connection.hpp"

namespace oncewire::store {

using sqlite::Failure;
using sqlite::Run;
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
        {find_room,
         "SELECT id, last_seq, (SELECT max(offset) FROM log WHERE room = rooms.id) FROM rooms"
         " WHERE name = ?1"},
        {put_room,
         "INSERT INTO rooms (id, name, last_seq) VALUES (?1, ?2, ?3)"
         " ON CONFLICT (id) DO UPDATE SET last_seq = ?3"},
        {append,
         "INSERT INTO log (offset, room, room_seq, data, stored_at) VALUES (?1, ?2, ?3, ?4, ?5)"},
        {rewrite, "UPDATE log SET data = ?2 WHERE offset = ?1"},
        {find_producer,
         "SELECT id, secret, epoch, last, last_digest, last_contact, user, forgotten FROM producers"
         " WHERE name = ?1"},
        {put_producer,
         "INSERT INTO producers (id, name, secret, epoch, last, last_digest, last_contact, user,"
         " forgotten) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET"
         " secret = ?3, epoch = ?4, last = ?5, last_digest = ?6, last_contact = ?7, user = ?8,"
         " forgotten = ?9"},
        {find_verdict,
         "SELECT digest, kind, body, first, entries FROM verdicts"
         " WHERE producer = ?1 AND sequence = ?2"},
        {verdict_by_digest,
         "SELECT verdicts.digest, kind, body, first, entries FROM verdict_digests AS known"
         " CROSS JOIN verdicts ON verdicts.producer = known.producer"
         " AND verdicts.sequence = known.sequence"
         " WHERE known.producer = ?1 AND known.digest = ?2 LIMIT 1"},
        {digests_to, "SELECT digests_to FROM producers WHERE id = ?1"},
        {verdicts_beyond,
         "SELECT count(*), max(sequence) FROM (SELECT sequence FROM verdicts WHERE producer = ?1"
         " AND sequence > ?2 ORDER BY sequence LIMIT ?3)"},
        {copy_digests,
         "INSERT OR IGNORE INTO verdict_digests SELECT producer, digest, sequence FROM verdicts"
         " WHERE producer = ?1 AND sequence > ?2 AND sequence <= ?3"},
        {set_digests_to, "UPDATE producers SET digests_to = ?2 WHERE id = ?1"},
        {forget_digests,
         "DELETE FROM verdict_digests WHERE producer = ?1 AND (digest, sequence) IN"
         " (SELECT digest, sequence FROM verdicts WHERE producer = ?1 AND sequence <= ?2)"},
        {put_verdict,
         "INSERT OR REPLACE INTO verdicts (producer, sequence, digest, kind, body, first, entries)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
        {once_oldest, "SELECT offset, scope, body FROM once WHERE id = ?1 ORDER BY offset LIMIT 1"},
        {once_by_scope,
         "SELECT offset, scope, body FROM once WHERE collides = 1 AND id = ?1 AND scope = ?2"
         " ORDER BY offset LIMIT 1"},
        {once_by_body,
         "SELECT offset, scope, body FROM once WHERE collides = 1 AND id = ?1 AND body = ?2"
         " ORDER BY offset LIMIT 1"},
        {put_once,
         "INSERT INTO once (id, offset, scope, body, collides)"
         " VALUES (?1, ?2, ?3, ?4, EXISTS (SELECT 1 FROM once WHERE id = ?1))"},
        {mark, "SAVEPOINT message"},
        {undo, "ROLLBACK TO message"},
        {release, "RELEASE message"},
        {put_task, "INSERT INTO tasks (id, key, name, payload) VALUES (?1, ?2, ?3, ?4)"},
        {erase_task, "DELETE FROM tasks WHERE id = ?1"},
        {tasks, "SELECT id, key, name, payload FROM tasks WHERE id > ?1 ORDER BY id LIMIT ?2"},
        {put_question,
         "INSERT INTO questions (id, recipient, key, nsp, data, expires_at)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
        {erase_question, "DELETE FROM questions WHERE id = ?1"},
        {find_question,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions WHERE key = ?1"},
        {questions_to,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions"
         " WHERE recipient = ?1 AND id > ?2 ORDER BY id LIMIT ?3"},
        {count_questions, "SELECT count(*) FROM questions WHERE recipient = ?1"},
        {expiring_questions,
         "SELECT id, recipient, key, nsp, data, expires_at FROM questions"
         " WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2"},
        {next_room, "SELECT id, name, last_seq FROM rooms WHERE id > ?1 ORDER BY id LIMIT 1"},
        {oldest_in_room,
         "SELECT offset, room_seq, stored_at FROM log WHERE room = ?1 ORDER BY offset LIMIT ?2"},
        {trim_room, "DELETE FROM log WHERE room = ?1 AND offset <= ?2"},
        {set_trimmed, "UPDATE rooms SET trimmed = ?2, trimmed_seq = ?3 WHERE id = ?1"},
        {idle_producers,
         "SELECT name FROM producers WHERE forgotten < last AND last_contact <= ?1"
         " ORDER BY last_contact LIMIT ?2"},
        {renew_producer, "UPDATE producers SET last_contact = ?2 WHERE name = ?1"},
        {oldest_verdicts,
         "SELECT count(*), max(sequence) FROM (SELECT sequence FROM verdicts WHERE producer = ?1"
         " ORDER BY sequence LIMIT ?2)"},
        {forget_verdicts, "DELETE FROM verdicts WHERE producer = ?1 AND sequence <= ?2"},
        {set_forgotten, "UPDATE producers SET forgotten = ?2 WHERE id = ?1"},
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
    return sessions.prepare(database);
}

}  // namespace oncewire::store
