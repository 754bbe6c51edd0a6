#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "server/hub/ids.hpp"
#include "shared/base/time.hpp"

namespace oncewire::hub {

/// When which connection is due: one timer each.
class Timers {
  public:
    /// Unless an earlier moment is set: a deadline moves back with every pong, so a connection looks again at
    /// the earlier one, and sets the next.
    void set(ConnectionId connection, Instant due);
    /// The connection is over.
    void drop(ConnectionId connection);
    /// One whose moment has come, the earliest first; its timer is no longer set. None: no more.
    std::optional<ConnectionId> take_due(Instant now);
    std::optional<Instant> next() const;

  private:
    using Timer = std::pair<Instant, ConnectionId>;
    /// In the place of a timer that is not set: no connection has this number.
    static constexpr Timer not_set{Instant(), ~ConnectionId{0}};

    void forget_old();

    std::vector<Timer> heap_;   // the earliest first; some are not set any more
    std::deque<Timer> timers_;  // by place of the connection
    std::size_t set_ = 0;       // of these
};

}  // namespace oncewire::hub
