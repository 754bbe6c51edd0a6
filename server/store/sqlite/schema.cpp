#include "server/store/sqlite/schema.hpp"

#include <string>

#include "server/store/sqlite/migrations.hpp"

namespace oncewire::store::sqlite {
namespace {

/// "OnWr": marks the file as ours (PRAGMA application_id), so that we never write into another's.
constexpr std::int64_t application_id = 0x4f6e5772;

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
    for (; version < newest_schema; ++version) sql += migrations[version];
    if (const auto done = database.execute(sql); !done) return done;
    if (is_new) {
        if (const auto done = insert_epoch(database, *epoch_if_new); !done) return done;
    }
    return database.execute("PRAGMA application_id = " + std::to_string(application_id) +
                            ";PRAGMA user_version = " + std::to_string(newest_schema) + ";COMMIT");
}

Result<bool, Failure> lacks_epoch(Database& database) {
    const auto found = database.integer("SELECT count(*) FROM meta WHERE epoch = ''");
    if (!found) return Err{found.error()};
    return *found > 0;
}

}  // namespace

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
    if (*version > newest_schema) {
        return Err{
            Failure{StoreError::newer_schema, "a newer version of this program wrote it (schema " +
                                                  std::to_string(*version) + ", this one knows " +
                                                  std::to_string(newest_schema) + ")"}};
    }
    return *version;
}

Result<void, Failure> replace_epoch(Database& database, const delivery::Epoch& epoch) {
    const auto update = database.prepare("UPDATE meta SET epoch = ?1");
    if (!update) return Err{update.error()};
    const Run run(*update, std::string_view(epoch.text));
    if (run.error()) return Err{Failure{*run.error(), error_text(*run.error())}};
    return {};
}

Result<void, Failure> prepare_schema(Database& database, const Opening& opening) {
    const auto version = version_of(database);
    if (!version) return Err{version.error()};
    if (*version == 0 && !(opening.may_be_new && opening.epoch)) {
        return Err{
            Failure{StoreError::corrupt,
                    "it is empty, and was not before. Keep all its files; if it was emptied on "
                    "purpose, start once with --restored"}};
    }
    if (const auto done = database.make_durable(opening.durability); !done) return done;
    if (*version < newest_schema) {
        const auto done = migrate(database, *version, opening.epoch);
        if (!done) return done;
    }
    const auto unnamed = lacks_epoch(database);
    if (!unnamed) return Err{unnamed.error()};
    if (!*unnamed || !opening.epoch) return {};
    return replace_epoch(database, *opening.epoch);
}

}  // namespace oncewire::store::sqlite
