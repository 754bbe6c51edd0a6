#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/store/sqlite/store.hpp"
#include "shared/base/result.hpp"

namespace oncewire::store {

/// What an examination of a database found.
struct CheckReport {
    std::vector<std::string> problems;  ///< sentences; empty: sound
    LogHead head;
    std::uint64_t entries = 0;
    std::uint64_t rooms = 0;
    std::uint64_t producers = 0;
    std::int64_t schema = 0;
};

/// Examines the database `path` by SQLite's own check and by what we know of it: every room counts
/// without holes and in the order of the log, every producer's mark is its newest verdict, nothing lies
/// beyond the head, and nothing was lost at the end. Changes nothing, whatever it finds: what a crash
/// left behind is read with it and left for the next start. Blocks; time grows with the file.
/// Error: it could not be looked at (missing, locked by a running server, no database of ours).
Result<CheckReport, SqliteStore::OpenError> check_database(const std::string& path);

}  // namespace oncewire::store
