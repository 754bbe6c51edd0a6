#include "server/store/sqlite/engine.hpp"

#include "server/store/sqlite/backup.hpp"
#include "server/store/sqlite/check.hpp"
#include "server/store/sqlite/files.hpp"
#include "server/store/sqlite/store.hpp"

namespace oncewire::store {

Result<std::unique_ptr<OperatedStore>, OpenError> SqliteEngine::open(
    const std::string& path, const delivery::Epoch& epoch_if_new, const Options& options) const {
    SqliteStore::Options wanted;
    wanted.durability = options.durability;
    wanted.restored = options.restored;
    auto store = SqliteStore::open(path, epoch_if_new, wanted);
    if (!store) return Err{store.error()};
    return std::unique_ptr<OperatedStore>(std::move(*store));
}

bool SqliteEngine::exists(const std::string& path) const { return sqlite::exists(path); }

Result<CheckReport, OpenError> SqliteEngine::check(const std::string& path) const {
    return check_database(path);
}

std::optional<OpenError> SqliteEngine::refuse_copy_name(const std::string& to) const {
    return SqliteBackup::refuse_name(to);
}

}  // namespace oncewire::store
