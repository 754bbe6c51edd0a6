#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/store/error.hpp"
#include "server/store/sql.hpp"
#include "shared/base/result.hpp"

namespace oncewire::store {

/// Statements that make and change tables of the application's own, in order.
struct SchemaPart {
    std::string component;  ///< empty: the application itself
    std::vector<std::string> statements;
};

/// The application's own tables, in the same database as ours. What is done here since the last Store::write or
/// drop() is part of the next batch that is written.
class ApplicationTables {
  public:
    virtual ~ApplicationTables() = default;

    /// Brings the tables forward: statement i of a part leads from version i to i + 1; those that were run before are
    /// not run again, and must be what they were. What was run when there were no parts is the nameless part's, or
    /// else the first's. Error: a sentence. Between batches.
    virtual Result<void, std::string> prepare(const std::vector<SchemaPart>& parts) = 0;
    /// One statement. Our tables cannot be reached. After SqlError::store the batch cannot be written any more.
    virtual Result<std::vector<SqlRow>, SqlError> run(std::string_view statement,
                                                      const std::vector<SqlValue>& values) = 0;
    /// Remembers the tables as they are; the newest mark counts.
    virtual Result<void, StoreError> mark() = 0;
    /// Goes back to the mark, also after an error of a statement.
    virtual Result<void, StoreError> undo() = 0;
    /// Nothing of what was done is kept.
    virtual void drop() = 0;
};

}  // namespace oncewire::store
