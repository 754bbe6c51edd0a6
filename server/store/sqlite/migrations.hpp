#pragma once

#include <cstdint>
#include <string_view>

namespace oncewire::store::sqlite {

/// Tables as the first release made them.
inline constexpr const char* migration_1 = R"sql(
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL
) STRICT;

-- Rooms and producers are numbers in the tables that grow: a byte or two instead of forty.
CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last_seq INTEGER NOT NULL
) STRICT;

CREATE TABLE log (
    offset INTEGER PRIMARY KEY,
    room INTEGER NOT NULL,
    room_seq INTEGER NOT NULL,
    data TEXT NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT;
CREATE INDEX log_by_room ON log (room);  -- and, as in every index, the rowid: the offset

CREATE TABLE producers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    last INTEGER NOT NULL,
    last_digest INTEGER NOT NULL,
    last_contact INTEGER NOT NULL
) STRICT;

CREATE TABLE verdicts (
    producer INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    digest INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (producer, sequence)
) STRICT, WITHOUT ROWID;

-- The two indexes hold collisions alone, so the usual message, the first under its id, costs one row.
CREATE TABLE once (
    id TEXT NOT NULL,
    offset INTEGER NOT NULL,
    scope TEXT NOT NULL,
    body TEXT NOT NULL,
    collides INTEGER NOT NULL,
    PRIMARY KEY (id, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX once_by_scope ON once (id, scope, offset) WHERE collides = 1;
CREATE INDEX once_by_body ON once (id, body, offset) WHERE collides = 1;
)sql";

/// Recovery of unmodified clients: who was connected, and what was emitted lately to whom.
inline constexpr const char* migration_2 = R"sql(
CREATE TABLE sessions (
    pid TEXT PRIMARY KEY,
    sid TEXT NOT NULL,
    nsp TEXT NOT NULL,
    user TEXT NOT NULL,
    from_epoch TEXT NOT NULL,
    from_offset INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    live INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_seen_at ON sessions (live, seen_at);

CREATE TABLE session_rooms (
    pid TEXT NOT NULL,
    room TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (pid, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_rooms_by_room ON session_rooms (room);

CREATE TABLE recorded (
    offset INTEGER PRIMARY KEY,
    nsp TEXT NOT NULL,
    rooms TEXT NOT NULL,
    except_rooms TEXT NOT NULL,
    data TEXT NOT NULL,
    attachments TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT;

CREATE TABLE recorded_for (
    room TEXT NOT NULL,
    offset INTEGER NOT NULL,
    PRIMARY KEY (room, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX recorded_for_by_offset ON recorded_for (offset);

-- One row: the sums over `recorded`, how many were dropped, and how far.
CREATE TABLE recording (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    pruned_to INTEGER NOT NULL,
    pruned_stored_at INTEGER NOT NULL
) STRICT;
INSERT INTO recording VALUES (1, 0, 0, 0, 0, 0);
CREATE TRIGGER recorded_added AFTER INSERT ON recorded BEGIN
    UPDATE recording SET entries = entries + 1, bytes = bytes + new.bytes;
END;
CREATE TRIGGER recorded_dropped AFTER DELETE ON recorded BEGIN
    UPDATE recording
    SET entries = entries - 1, bytes = bytes - old.bytes, dropped = dropped + 1;
END;
)sql";

/// What retention removed from each room, work that handlers left for later, how far the application
/// brought its own tables, and messages by what they are.
inline constexpr const char* migration_3 = R"sql(
ALTER TABLE rooms ADD COLUMN trimmed INTEGER NOT NULL DEFAULT 0;  -- offset of the newest entry removed
ALTER TABLE rooms ADD COLUMN trimmed_seq INTEGER NOT NULL DEFAULT 0;
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- keys of tasks are made of it: none twice
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;
ALTER TABLE meta ADD COLUMN application INTEGER NOT NULL DEFAULT 0;
-- A message keeps its digest when its sender has to give it another number.
CREATE INDEX verdicts_by_digest ON verdicts (producer, digest);
)sql";

/// Whose outbox it is: what waits in it must not be said by whoever signs in later.
inline constexpr const char* migration_4 = R"sql(
ALTER TABLE producers ADD COLUMN user TEXT NOT NULL DEFAULT '';
)sql";

/// What clients are asked until they answer.
inline constexpr const char* migration_5 = R"sql(
CREATE TABLE questions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- clients know them by it: none twice
    recipient TEXT NOT NULL,  -- the name of a producer, who may not have sent anything yet
    key TEXT NOT NULL UNIQUE,
    nsp TEXT NOT NULL,
    data TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX questions_by_recipient ON questions (recipient);
CREATE INDEX questions_by_expiry ON questions (expires_at);
)sql";

/// What a message published, for operators who look for it, and from where on its sender's verdicts are
/// kept.
inline constexpr const char* migration_6 = R"sql(
ALTER TABLE producers ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;  -- verdicts up to here are gone
CREATE INDEX producers_by_contact ON producers (last_contact) WHERE forgotten < last;
ALTER TABLE verdicts ADD COLUMN first INTEGER NOT NULL DEFAULT 0;  -- offset; 0: from before this was kept
ALTER TABLE verdicts ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;
)sql";

/// What the statements were that made an application's own tables, by component.
inline constexpr const char* migration_7 = R"sql(
CREATE TABLE application_steps (
    component TEXT NOT NULL,
    step INTEGER NOT NULL,  -- from 0
    digest INTEGER NOT NULL,  -- of the statement
    PRIMARY KEY (component, step)
) STRICT, WITHOUT ROWID;
)sql";

/// What stock clients sent under ids of their own is known by a digest, so that it is gone when it is taken
/// back.
inline constexpr const char* migration_8 = R"sql(
UPDATE once SET body = digest_of_body(body);
)sql";

/// Verdicts by digest are looked for when a message had another number once, which is rare. An index of all of them
/// costs each message a page of its own, as digests lie anywhere; so there is a table of those who were asked about.
inline constexpr const char* migration_9 = R"sql(
DROP INDEX verdicts_by_digest;
ALTER TABLE producers ADD COLUMN digests_to INTEGER NOT NULL DEFAULT 0;  -- verdicts up to here are in it
CREATE TABLE verdict_digests (
    producer INTEGER NOT NULL,
    digest INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (producer, digest, sequence)
) STRICT, WITHOUT ROWID;
)sql";

/// Which writer is the newest: what an older one still tries to write is refused.
inline constexpr const char* migration_10 = R"sql(
ALTER TABLE meta ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
)sql";

/// Step i leads from version i (PRAGMA user_version) to i + 1. A step that ever was on the main branch
/// does not change: what is new comes as a further constant at the end, with its file of that version in
/// tests/unit/store/sqlite/migration_test.cpp, so that every old file can be brought forward.
inline constexpr const char* migrations[] = {migration_1, migration_2, migration_3, migration_4,
                                             migration_5, migration_6, migration_7, migration_8,
                                             migration_9, migration_10};
inline constexpr std::int64_t newest_schema = sizeof(migrations) / sizeof(migrations[0]);

/// All tables of ours, which an application's own SQL may not touch.
inline constexpr std::string_view own_tables[] = {"meta",      "rooms",        "log",
                                                  "producers", "verdicts",     "verdict_digests",
                                                  "once",      "sessions",     "session_rooms",
                                                  "recorded",  "recorded_for", "recording",
                                                  "tasks",     "questions",    "application_steps"};

}  // namespace oncewire::store::sqlite
