#pragma once

#include <string>

#include "server/store/engine.hpp"
#include "shared/base/result.hpp"

namespace oncewire::store {

/// Examines the database `path` by SQLite's own check and by what we know of it: every room counts
/// without holes and in the order of the log, every producer's mark is its newest verdict, nothing lies
/// beyond the head, and nothing was lost at the end. Changes nothing, whatever it finds: what a crash
/// left behind is read with it and left for the next start. Blocks; time grows with the file.
/// Error: it could not be looked at (missing, locked by a running server, no database of ours).
Result<CheckReport, OpenError> check_database(const std::string& path);

}  // namespace oncewire::store
