-- A small database as version 1 left it, every kind of row in it.
PRAGMA application_id = 1332631410;
PRAGMA user_version = 1;
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
INSERT INTO meta VALUES (1, 'old');
INSERT INTO rooms VALUES (1, '/,chat', 2), (2, '/,other', 1);
INSERT INTO log VALUES (1, 1, 1, '["chat message","one",1]', 1700000000000);
INSERT INTO log VALUES (2, 2, 1, '["elsewhere"]', 1700000000001);
INSERT INTO log VALUES (3, 1, 2, '["chat message","two",3]', 1700000000002);
INSERT INTO producers VALUES (1, 'p', 'secret', 7, 2, 22, 1700000000003);
INSERT INTO verdicts VALUES (1, 1, 11, 0, '{"id":1}'), (1, 2, 22, 1, '{"error":"no"}');
INSERT INTO once VALUES ('id 1', 3, 'ann', '"one"', 0);
