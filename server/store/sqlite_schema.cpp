#include "server/store/sqlite_schema.hpp"

#include <string>

namespace oncewire::store::sqlite {
namespace {

/// "OnWr": marks the file as ours (PRAGMA application_id), so that we never write into another's.
constexpr std::int64_t application_id = 0x4f6e5772;

/// Step i leads from version i (PRAGMA user_version) to i + 1. A step that was ever released does not
/// change: what is new comes as a further step, so that every old file can be brought forward.
constexpr const char* steps[] = {
    R"sql(
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
)sql",
};
constexpr std::int64_t newest_version = sizeof(steps) / sizeof(steps[0]);

Result<std::int64_t, Failure> version_of(Database& database) {
    const auto application = database.integer("PRAGMA application_id");
    if (!application) return application;
    const auto version = database.integer("PRAGMA user_version");
    if (!version) return version;
    const auto tables = database.integer("SELECT count(*) FROM sqlite_schema");
    if (!tables) return tables;

    if (*application == 0 && *version == 0 && *tables == 0) return 0;
    if (*application != application_id) {
        return Err{Failure{StoreError::corrupt, "it belongs to another program"}};
    }
    if (*version > newest_version) {
        return Err{
            Failure{StoreError::newer_schema, "a newer version of this program wrote it (schema " +
                                                  std::to_string(*version) + ", this one knows " +
                                                  std::to_string(newest_version) + ")"}};
    }
    return *version;
}

Result<void, Failure> insert_epoch(Database& database, const delivery::Epoch& epoch) {
    const auto insert = database.prepare("INSERT INTO meta (id, epoch) VALUES (1, ?1)");
    if (!insert) return Err{insert.error()};
    const Run run(*insert, std::string_view(epoch.text));
    if (run.error()) return Err{Failure{*run.error(), error_text(*run.error())}};
    return {};
}

Result<void, Failure> migrate(Database& database, std::int64_t version,
                              const delivery::Epoch* epoch_if_new) {
    const bool is_new = version == 0;
    std::string sql = "BEGIN IMMEDIATE;";
    for (; version < newest_version; ++version) sql += steps[version];
    if (const auto done = database.execute(sql); !done) return done;
    if (is_new) {
        if (const auto done = insert_epoch(database, *epoch_if_new); !done) return done;
    }
    return database.execute("PRAGMA application_id = " + std::to_string(application_id) +
                            ";PRAGMA user_version = " + std::to_string(newest_version) + ";COMMIT");
}

}  // namespace

Result<void, Failure> prepare_schema(Database& database, const delivery::Epoch* epoch_if_new) {
    const auto version = version_of(database);
    if (!version) return Err{version.error()};
    if (*version == 0 && !epoch_if_new) {
        return Err{Failure{StoreError::corrupt, "it is empty, and was not before"}};
    }
    if (const auto done = database.make_durable(); !done) return done;
    if (*version == newest_version) return {};
    return migrate(database, *version, epoch_if_new);
}

}  // namespace oncewire::store::sqlite
