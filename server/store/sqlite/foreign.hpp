#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/sqlite/database.hpp"

namespace oncewire::store::sqlite {

/// The application's own statements on one connection, prepared once each.
class ForeignStatements {
  public:
    /// In the open transaction. SqlError::store: what the connection has met, no mistake of the application's.
    Result<std::vector<SqlRow>, SqlError> run(Database& database, std::string_view sql,
                                              const std::vector<SqlValue>& values);

  private:
    std::map<std::string, Statement, std::less<>> prepared_;  // by text
};

}  // namespace oncewire::store::sqlite
