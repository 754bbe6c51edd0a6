-- A small database as version 7 left it, every kind of row in it.
PRAGMA application_id = 1332631410;
PRAGMA user_version = 10;
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL
, application INTEGER NOT NULL DEFAULT 0, fence INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO meta VALUES(1,'old',0,7);
CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last_seq INTEGER NOT NULL
, trimmed INTEGER NOT NULL DEFAULT 0, trimmed_seq INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO rooms VALUES(1,'/,chat',2,0,0);
INSERT INTO rooms VALUES(2,'/,other',1,0,0);
CREATE TABLE log (
    offset INTEGER PRIMARY KEY,
    room INTEGER NOT NULL,
    room_seq INTEGER NOT NULL,
    data TEXT NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT;
INSERT INTO log VALUES(1,1,1,'["chat message","one",1]',1700000000000);
INSERT INTO log VALUES(2,2,1,'["elsewhere"]',1700000000001);
INSERT INTO log VALUES(3,1,2,'["chat message","two",3]',1700000000002);
CREATE TABLE producers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    last INTEGER NOT NULL,
    last_digest INTEGER NOT NULL,
    last_contact INTEGER NOT NULL
, user TEXT NOT NULL DEFAULT '', forgotten INTEGER NOT NULL DEFAULT 0, digests_to INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO producers VALUES(1,'p','secret',7,2,22,1700000000003,'ann',1,2);
CREATE TABLE verdicts (
    producer INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    digest INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    body TEXT NOT NULL, first INTEGER NOT NULL DEFAULT 0, entries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (producer, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO verdicts VALUES(1,2,22,1,'{"error":"no"}',4,0);
CREATE TABLE once (
    id TEXT NOT NULL,
    offset INTEGER NOT NULL,
    scope TEXT NOT NULL,
    body TEXT NOT NULL,
    collides INTEGER NOT NULL,
    PRIMARY KEY (id, offset)
) STRICT, WITHOUT ROWID;
INSERT INTO once VALUES('id 1',3,'ann','0fa3e48f9c9c3ff7.5',0);
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
INSERT INTO sessions VALUES('pid','sid','/','ann','old',3,1700000000004,1);
CREATE TABLE session_rooms (
    pid TEXT NOT NULL,
    room TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (pid, room)
) STRICT, WITHOUT ROWID;
INSERT INTO session_rooms VALUES('pid','/,',3);
INSERT INTO session_rooms VALUES('pid','/,chat',3);
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
CREATE TABLE recording (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    pruned_to INTEGER NOT NULL,
    pruned_stored_at INTEGER NOT NULL
) STRICT;
INSERT INTO recording VALUES(1,0,0,0,0,0);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- keys of tasks are made of it: none twice
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;
INSERT INTO tasks VALUES(4,'p:2/1','mail','{}');
CREATE TABLE questions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- clients know them by it: none twice
    recipient TEXT NOT NULL,  -- the name of a producer, who may not have sent anything yet
    key TEXT NOT NULL UNIQUE,
    nsp TEXT NOT NULL,
    data TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
INSERT INTO questions VALUES(5,'p','key','/','["ready?"]',1800000000000);
CREATE TABLE application_steps (
    component TEXT NOT NULL,
    step INTEGER NOT NULL,  -- from 0
    digest INTEGER NOT NULL,  -- of the statement
    PRIMARY KEY (component, step)
) STRICT, WITHOUT ROWID;
INSERT INTO application_steps VALUES('',0,17);
CREATE TABLE verdict_digests (
    producer INTEGER NOT NULL,
    digest INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (producer, digest, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO verdict_digests VALUES(1,22,2);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('tasks',4);
INSERT INTO sqlite_sequence VALUES('questions',6);
CREATE INDEX log_by_room ON log (room);
CREATE INDEX once_by_scope ON once (id, scope, offset) WHERE collides = 1;
CREATE INDEX once_by_body ON once (id, body, offset) WHERE collides = 1;
CREATE INDEX sessions_by_seen_at ON sessions (live, seen_at);
CREATE INDEX session_rooms_by_room ON session_rooms (room);
CREATE INDEX recorded_for_by_offset ON recorded_for (offset);
CREATE TRIGGER recorded_added AFTER INSERT ON recorded BEGIN
    UPDATE recording SET entries = entries + 1, bytes = bytes + new.bytes;
END;
CREATE TRIGGER recorded_dropped AFTER DELETE ON recorded BEGIN
    UPDATE recording
    SET entries = entries - 1, bytes = bytes - old.bytes, dropped = dropped + 1;
END;
CREATE INDEX questions_by_recipient ON questions (recipient);
CREATE INDEX questions_by_expiry ON questions (expires_at);
CREATE INDEX producers_by_contact ON producers (last_contact) WHERE forgotten < last;
