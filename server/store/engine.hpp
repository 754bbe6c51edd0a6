#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/store/durability.hpp"
#include "server/store/error.hpp"
#include "server/store/operated_store.hpp"
#include "shared/base/result.hpp"
#include "shared/delivery/position.hpp"

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

/// A kind of database: what a program chooses, and all it knows of it. Has no state; any thread. All of it
/// blocks.
class Engine {
  public:
    struct Options {
        /// What a stored message survives; a database that is never on a disk survives nothing, whatever is said here.
        Durability durability = Durability::disk;
        /// It is an older copy, put back on purpose: what is in it begins a new history.
        bool restored = false;
    };

    virtual ~Engine() = default;

    /// Opens the database `path`, or makes it with `epoch_if_new`. Nobody else may have it.
    virtual Result<std::unique_ptr<OperatedStore>, OpenError> open(
        const std::string& path, const delivery::Epoch& epoch_if_new,
        const Options& options) const = 0;
    /// Whether there is such a database.
    virtual bool exists(const std::string& path) const = 0;
    /// Examines it and changes nothing. Error: it could not be looked at (missing, locked by a running
    /// server, no database of ours).
    virtual Result<CheckReport, OpenError> check(const std::string& path) const = 0;
    /// Why no copy may be called so; none: it will do.
    virtual std::optional<OpenError> refuse_copy_name(const std::string& to) const = 0;
};

}  // namespace oncewire::store
