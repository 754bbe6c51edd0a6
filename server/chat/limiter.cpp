#include "server/chat/limiter.hpp"

#include <algorithm>

namespace oncewire::chat {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000, day_ns = 86'400 * second_ns;

}  // namespace

Limiter::Limiter(Rate rate)
    : burst_(rate.burst),
      each_(rate.per_second > 0 ? rate.seconds * second_ns / rate.per_second : day_ns) {}

bool Limiter::take(const std::string& sender, UnixMillis now, std::uint32_t count) {
    if (burst_ == 0 || sender.empty()) return true;
    tick(now);
    const Time owed = std::max<Time>(find(sender) - clock_, 0);
    if (owed + each_ * count > each_ * burst_) return false;
    add(sender, count);
    return true;
}

void Limiter::charge(const std::string& sender, UnixMillis now, std::uint32_t count) {
    if (burst_ == 0 || sender.empty() || count == 0) return;
    tick(now);
    add(sender, count);
}

void Limiter::tick(UnixMillis now) {
    const std::int64_t passed = now.value - std::exchange(ticked_at_, now).value;
    clock_ += std::clamp<std::int64_t>(passed, 0, day_ns / 1'000'000) * 1'000'000;
}

Limiter::Time& Limiter::find(const std::string& sender) {
    const auto known = full_at_.find(sender);
    if (known != full_at_.end()) return known->second;
    Time inherited = clock_;
    if (full_at_.size() >= remembered_max) {
        const auto least = by_use_.begin();
        inherited = least->first;
        const auto place = full_at_.find(std::string(least->second));
        by_use_.erase(least);
        full_at_.erase(place);
    }
    const auto placed = full_at_.emplace(sender, inherited).first;
    by_use_.emplace(inherited, placed->first);
    return placed->second;
}

/// Nobody owes more than twice what they may take at once: a debt ends some day.
void Limiter::add(const std::string& sender, std::uint32_t count) {
    Time& full_at = find(sender);
    auto entry = by_use_.extract({full_at, sender});
    full_at = std::min(std::max(full_at, clock_) + each_ * count, clock_ + 2 * each_ * burst_);
    entry.value().first = full_at;
    by_use_.insert(std::move(entry));
}

const char* Allowance::refuse(const Sender& sender, UnixMillis now, std::uint32_t count) {
    const bool is_new = !sender.id.empty() && !person_.knows(sender.id);
    if (!person_.take(sender.id, now, count)) return "too_fast";
    return network_.take(sender.network, now, is_new ? count + 1 : count) ? nullptr
                                                                          : "too_fast_here";
}

void Allowance::charge(const Sender& sender, UnixMillis now, std::uint32_t count) {
    person_.charge(sender.id, now, count);
    network_.charge(sender.network, now, count);
}

}  // namespace oncewire::chat
