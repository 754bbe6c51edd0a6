#pragma once

#include "server/store/sqlite_database.hpp"
#include "shared/delivery/position.hpp"

namespace oncewire::store::sqlite {

/// Finds out, before anything is written, whether the file is ours and of a version we understand;
/// then makes the tables or brings older ones forward, all in one transaction.
/// `epoch_if_new` null: a file without tables is refused instead.
Result<void, Failure> prepare_schema(Database& database, const delivery::Epoch* epoch_if_new);

}  // namespace oncewire::store::sqlite
