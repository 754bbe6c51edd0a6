#pragma once

#include <string>

#include "server/store/error.hpp"
#include "server/store/store.hpp"
#include "server/store/whereabouts.hpp"

namespace oncewire::store {

/// A Store that operators copy and look into. All of it on the store's thread, between two batches.
class OperatedStore : public Store {
  public:
    /// Begins a copy of the whole database at `to`, which must not exist; one at a time. Call
    /// step_backup() until it says true; what is written meanwhile is in the copy. Whoever starts with
    /// the copy begins a new history.
    virtual Result<void, OpenError> begin_backup(const std::string& to) = 0;
    /// Copies some more, for a few milliseconds. True: the copy is there, whole and fsynced.
    virtual Result<bool, OpenError> step_backup() = 0;

    virtual Result<Whereabouts, StoreError> find_message(const MessageKey& key) = 0;
};

}  // namespace oncewire::store
