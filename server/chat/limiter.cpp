#include "server/chat/limiter.hpp"

#include <algorithm>

namespace oncewire::chat {

bool Limiter::take(const std::string& sender, UnixMillis now) {
    constexpr std::int64_t one = 1000, day = 86'400'000;
    if (burst_ == 0 || sender.empty()) return true;
    if (buckets_.size() >= remembered_max && !buckets_.contains(sender)) buckets_.clear();
    auto& [used, at] = buckets_.try_emplace(sender, Bucket{0, now}).first->second;
    const std::int64_t passed = std::clamp<std::int64_t>(now.value - at.value, 0, day);
    at = now;
    used = std::max<std::int64_t>(used - passed * per_second_, 0);
    if (used + one > one * burst_) return false;
    used += one;
    return true;
}

}  // namespace oncewire::chat
