#include "server/net/loop.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::net {
namespace {

using Clock = std::chrono::steady_clock;

/// 256: descriptors told of in one turn; the next finds those left over.
constexpr std::size_t ready_max = 256;

}  // namespace

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    // Before anybody connects.
    VERIFY(epoll_ >= 0);
}

Loop::~Loop() { close(epoll_); }

// ---- descriptors --------------------------------------------------------------------------------

bool Loop::watch(int descriptor, std::uint32_t events, Watcher& watcher) {
    Watched& entry = entry_of(descriptor);
    const bool is_new = entry.watcher == nullptr;
    if (is_new || entry.events != events) {
        epoll_event event{};
        event.events = events;
        event.data.fd = descriptor;
        const int change = is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
        if (epoll_ctl(epoll_, change, descriptor, &event) != 0) return false;
    }
    entry = {&watcher, events};
    return true;
}

void Loop::unwatch(int descriptor) {
    if (!std::exchange(entry_of(descriptor), {}).watcher) return;
    epoll_event ignored{};
    epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &ignored);
}

void Loop::forget(int descriptor) { entry_of(descriptor) = {}; }

Loop::Watched& Loop::entry_of(int descriptor) {
    const auto index = static_cast<std::size_t>(descriptor);
    if (watched_.size() <= index) watched_.resize(index + 1);
    return watched_[index];
}

// ---- timers -------------------------------------------------------------------------------------

void Loop::Timer::set(Instant at) {
    auto& timers = loop_.timers_;
    if (!place_) {
        place_ = timers.emplace(at, this);
    } else if ((*place_)->first != at) {
        auto node = timers.extract(*place_);
        node.key() = at;
        place_ = timers.insert(std::move(node));
    }
}

void Loop::Timer::stop() {
    if (place_) loop_.timers_.erase(*std::exchange(place_, std::nullopt));
}

std::optional<Instant> Loop::Timer::due() const {
    return place_ ? std::optional((*place_)->first) : std::nullopt;
}

void Loop::fire_timers() {
    const Instant now = this->now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
        Timer& timer = *timers_.begin()->second;
        const auto fire = timer.fire_;  // it may be gone before this returns
        timer.stop();
        fire();
    }
}

// ---- one turn -----------------------------------------------------------------------------------

void Loop::turn(std::optional<Millis> at_most) {
    if (ready_taken_ == ready_.size()) collect(at_most);
    while (ready_taken_ < ready_.size()) {
        const epoll_event event = ready_[ready_taken_++];
        if (Watcher* watcher = entry_of(event.data.fd).watcher) {
            watcher->handle_ready(event.data.fd, event.events);
        }
    }
    if (!timers_.empty()) fire_timers();
    do_tasks();
}

void Loop::collect(std::optional<Millis> at_most) {
    ready_.resize(ready_max);
    ready_taken_ = 0;
    const int count =
        epoll_wait(epoll_, ready_.data(), static_cast<int>(ready_max), wait_milliseconds(at_most));
    ready_.resize(static_cast<std::size_t>(std::max(count, 0)));
}

void Loop::glance() {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        Watcher* watcher = entry_of(event.data.fd).watcher;
        if (watcher && watcher->takes_note()) watcher->handle_ready(event.data.fd, event.events);
    }
}

/// For epoll_wait(): -1 is for ever.
int Loop::wait_milliseconds(std::optional<Millis> at_most) const {
    if (!later_.empty() || tasks_taken_ < tasks_.size()) return 0;
    std::optional<Millis> wait = at_most;
    if (!timers_.empty()) {
        const auto due = Clock::time_point(timers_.begin()->first.time_since_epoch());
        const auto left = std::chrono::ceil<Millis>(due - Clock::now());
        wait = wait ? std::min(*wait, left) : left;
    }
    if (!wait) return -1;
    constexpr std::int64_t most = std::numeric_limits<int>::max();
    return static_cast<int>(std::clamp<std::int64_t>(wait->count(), 0, most));
}

/// What they add is for the next turn.
void Loop::do_tasks() {
    if (tasks_taken_ == tasks_.size()) {
        tasks_.clear();
        tasks_taken_ = 0;
        tasks_.swap(later_);
    }
    while (tasks_taken_ < tasks_.size()) {
        const auto task = std::move(tasks_[tasks_taken_++]);
        task();
    }
}

Instant Loop::now() const {
    return Instant(std::chrono::floor<Millis>(Clock::now().time_since_epoch()));
}

}  // namespace oncewire::net
