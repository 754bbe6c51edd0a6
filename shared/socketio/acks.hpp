#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "shared/base/time.hpp"
#include "shared/socketio/packet.hpp"

namespace oncewire::socketio {

/// [SIO5 Acknowledgement] Answers this side is waiting for, in one namespace and direction.
///
/// Each id is answered, expired or abandoned exactly once; unknown, repeated and late answers are
/// ignored, as the specification allows a peer to send them.
class PendingAcks {
  public:
    /// A fresh id; it is never used again on this side, not even after a reconnect.
    AckId expect(std::optional<Instant> deadline);
    /// True if `id` was pending; it no longer is.
    bool settle(AckId id);
    /// Every pending id whose deadline is at or before `now`, earliest deadline first and then by id;
    /// they are no longer pending.
    std::vector<AckId> expire(Instant now);
    /// Every pending id, in order; nothing is pending afterwards.
    std::vector<AckId> abandon_all();

    std::optional<Instant> next_timeout() const;
    std::uint32_t size() const { return static_cast<std::uint32_t>(pending_.size()); }

  private:
    AckId next_id_ = 0;
    // One kind of set for both, since its code is charged to every page.
    using Pairs = std::set<std::pair<std::uint64_t, std::uint64_t>>;

    Pairs::iterator find(AckId id);

    Pairs pending_;    // id, deadline as in deadline_number()
    Pairs deadlines_;  // deadline, id; of those that have one
};

}  // namespace oncewire::socketio
