#include "server/api_server/database.hpp"

#include "server/core/environment.hpp"
#include "server/store/sqlite/engine.hpp"

namespace oncewire::api {

ops::Database database_of(const std::string& path) {
    static const store::SqliteEngine engine{};
    return {engine, path, core::new_epoch()};
}

}  // namespace oncewire::api
