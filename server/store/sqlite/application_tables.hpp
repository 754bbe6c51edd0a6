#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/store/sqlite/store.hpp"

namespace oncewire::store {

/// The application's tables in the file of a SqliteStore, and a savepoint for each message that uses them: it costs a
/// copy of every page that is written behind it.
class SqliteStore::Tables final : public ApplicationTables {
  public:
    explicit Tables(SqliteStore& store) : store_(store) {}

    Result<void, std::string> prepare(const std::vector<SchemaPart>& parts) override;
    Result<std::vector<SqlRow>, SqlError> run(std::string_view statement,
                                              const std::vector<SqlValue>& values) override;
    Result<void, StoreError> mark() override;
    Result<void, StoreError> undo() override;
    void drop() override;

  private:
    SqliteStore& store_;
};

}  // namespace oncewire::store
