#include "tests/sim/choices.hpp"

#include <algorithm>

namespace oncewire::sim {

std::uint32_t Choices::choose(const char* label, std::uint32_t n) {
    VERIFY(n > 0);
    std::uint32_t value = 0;
    if (!replays_) {
        value = static_cast<std::uint32_t>(prng_.below(n));
    } else if (position_ < list_.size()) {
        value = list_[position_++] % n;
    }
    if (records_) taken_.push_back({label, value});
    return value;
}

Millis Choices::long_tailed(const char* label, std::uint32_t low, std::uint32_t high) {
    std::uint32_t doublings = 1;
    while ((low << doublings) < high) ++doublings;
    const std::uint32_t from = low << choose(label, doublings);
    return delay(label, from, std::min(from * 2, high));
}

}  // namespace oncewire::sim
