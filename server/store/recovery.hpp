#pragma once

#include <cstdint>

#include "shared/base/time.hpp"

namespace oncewire::store {

/// How long and how much is kept for unmodified clients that may come back.
struct RecoveryLimits {
    /// 2 min: a session that is away for longer has ended; the original's maxDisconnectionDuration.
    Millis window{120'000};
    /// 75 s: for how long the other end of a link that looks alive may have received nothing: ping
    /// interval and timeout, and a slow reader's patience.
    Millis link_slack{75'000};
    std::uint64_t entries_max = 100'000;
    std::uint64_t bytes_max = 64ull << 20;
};

}  // namespace oncewire::store
