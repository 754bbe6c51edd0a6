#pragma once

#include "server/store/sqlite/database.hpp"
#include "shared/delivery/position.hpp"

namespace oncewire::store::sqlite {

/// How a database may be opened.
struct Opening {
    /// For a new file, and for a copy that was made as a backup: it has no epoch, so that each restore
    /// begins its own. Null: it must have one.
    const delivery::Epoch* epoch = nullptr;
    bool may_be_new = false;  ///< else a file without tables is refused
    Durability durability = Durability::disk;
};

/// Finds out, before anything is written, whether the file is ours and of a version we understand;
/// then makes the tables or brings older ones forward, all in one transaction.
Result<void, Failure> prepare_schema(Database& database, const Opening& opening);
/// The version of a database that is ours, 0 for an empty one; changes nothing.
Result<std::int64_t, Failure> version_of(Database& database);
/// Begins a new history with what is there: positions of the old one mean nothing any more.
Result<void, Failure> replace_epoch(Database& database, const delivery::Epoch& epoch);

}  // namespace oncewire::store::sqlite
