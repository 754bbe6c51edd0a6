#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/store.hpp"

namespace oncewire::store {

/// Sessions of stock clients as a batch leaves them.
class SessionOverlay {
  public:
    SessionOverlay(Store& store, Batch& batch) : store_(store), batch_(batch) {}

    Result<std::optional<SessionRow>, StoreError> find(std::string_view pid);
    /// Replaces what there was under this pid.
    Result<void, StoreError> put(SessionRow row);
    /// Nothing to do if there is no such session, or it is (join) or is not (leave) in the room.
    Result<void, StoreError> join(std::string_view pid, const Membership& room);
    Result<void, StoreError> leave(std::string_view pid, std::string_view room);
    Result<void, StoreError> drop(std::string_view pid);
    /// The pids of all who are in any of these rooms, each once, in order.
    Result<std::vector<std::string>, StoreError> in(const std::vector<std::string>& rooms);
    /// What recorded events were dropped before this batch.
    Result<Pruned, StoreError> pruned();

  private:
    Result<SessionChange*, StoreError> change(std::string_view pid);

    Store& store_;
    Batch& batch_;
};

}  // namespace oncewire::store
