#pragma once

#include <cstdint>
#include <memory>

#include "server/store/application_tables.hpp"
#include "server/store/batch.hpp"
#include "server/store/durability.hpp"
#include "server/store/facts.hpp"
#include "server/store/reading.hpp"
#include "shared/base/result.hpp"

namespace oncewire::store {

/// Ordered log, producer rows and verdicts of one database. There are two: SQLite, and a reference model
/// in memory that the simulator crashes.
///
/// A writer opens it, and from then on is the only one: each opening takes the next number of the database, its
/// fence, and write() stores nothing for whoever has an older one. One thread. Strings passed in are copied; nothing
/// returned points into the store.
///
/// After WriteOutcome::unknown all but head() fails until reopen() succeeds, which shows what is there.
class Store {
  public:
    virtual ~Store() = default;

    virtual Durability durability() const = 0;
    /// The committed head.
    virtual LogHead head() const = 0;
    /// The newest numbers that were ever given, also to tasks and questions that are over.
    struct Numbers {
        std::uint64_t task = 0;
        std::uint64_t question = 0;
        bool operator==(const Numbers&) const = default;
    };
    virtual Numbers numbers() const = 0;

    /// What is committed. What ApplicationTables did meanwhile changes nothing of it.
    virtual Result<Facts, StoreError> fetch(const Wanted& wanted) = 0;
    /// Stores all of it, with what was done in tables() since the last time, if this is the writer still and the head
    /// is `batch.from`. Else, and after an error, nothing of either is stored.
    virtual Written write(const Batch& batch) = 0;
    /// Closes and opens again, under a new fence; on success head() is what the disk says, and durable. On failure
    /// call it again later.
    virtual Result<void, StoreError> reopen() = 0;
    /// After a batch with rewritten entries, or after the start: makes sure that no file of the store holds a byte of
    /// what was replaced. May write as much as the write-ahead log holds. False: not now, because something reads; ask
    /// again later. An error concerns this alone, unless it says `corrupt`.
    virtual Result<bool, StoreError> erase_traces() = 0;

    virtual ApplicationTables& tables() = 0;
    /// The store's own eyes: for its thread, between batches.
    virtual Reading& reading() = 0;
    /// For a thread of its own. Null: there is none, and whoever reads is on the store's thread. Must be gone before
    /// the store.
    virtual std::unique_ptr<Reading> open_reading() { return nullptr; }
};

}  // namespace oncewire::store
