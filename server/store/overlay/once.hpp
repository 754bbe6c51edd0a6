#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/store/store.hpp"

namespace oncewire::store {

/// The ids that senders chose for their messages (tier 1), as a batch leaves them.
class OnceOverlay {
  public:
    OnceOverlay(Store& store, Batch& batch) : store_(store), batch_(batch) {}

    /// As Facts::once.
    Result<std::vector<OnceRow>, StoreError> find(std::string_view id, std::string_view scope,
                                                  std::string_view body);
    /// `row.offset` must lie beyond every earlier row's under this id.
    void put(std::string_view id, OnceRow row);

    void mark() { put_.clear(); }
    void undo();

  private:
    Store& store_;
    Batch& batch_;
    std::vector<std::string> put_;  // ids, since the mark
};

}  // namespace oncewire::store
