#include "shared/delivery/backoff.hpp"

#include <algorithm>

namespace oncewire::delivery {

Millis Backoff::next() {
    // Beyond 2^20 the cap has long been reached; stopping there keeps the shift defined.
    const std::int64_t factor = std::int64_t{1} << std::min<std::uint32_t>(attempts_, 20);
    ++attempts_;
    const std::int64_t plain = std::min(policy_.min.count() * factor, policy_.max.count());
    const std::int64_t spread = plain * policy_.jitter_percent / 100;
    if (spread <= 0) return Millis{plain};
    const auto draw =
        static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(2 * spread + 1)));
    return Millis{std::min(plain - spread + draw, policy_.max.count())};
}

}  // namespace oncewire::delivery
