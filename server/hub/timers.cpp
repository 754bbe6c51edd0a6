#include "server/hub/timers.hpp"

#include <algorithm>
#include <functional>

#include "server/hub/places.hpp"

namespace oncewire::hub {
namespace {

/// Of those that are not set any more so many, and as many as are set, may stay in the heap.
constexpr std::size_t old_timers_max = 64;

}  // namespace

void Timers::set(ConnectionId connection, Instant due) {
    const auto place = Places::place_of(connection);
    if (place >= timers_.size()) timers_.resize(place + 1, not_set);
    Timer& timer = timers_[place];
    const bool is_set = timer.second == connection;
    if (is_set && timer.first <= due) return;
    if (!is_set) ++set_;
    timer = {due, connection};
    heap_.push_back(timer);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
}

void Timers::drop(ConnectionId connection) {
    const auto place = Places::place_of(connection);
    if (place < timers_.size() && timers_[place].second == connection) {
        timers_[place] = not_set;
        --set_;
    }
    if (heap_.size() > 2 * set_ + old_timers_max) forget_old();
}

std::optional<ConnectionId> Timers::take_due(Instant now) {
    while (!heap_.empty() && heap_.front().first <= now) {
        const Timer due = heap_.front();
        std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
        heap_.pop_back();
        Timer& timer = timers_[Places::place_of(due.second)];
        if (timer != due) continue;
        timer = not_set;
        --set_;
        return due.second;
    }
    return std::nullopt;
}

std::optional<Instant> Timers::next() const {
    return heap_.empty() ? std::nullopt : std::optional(heap_.front().first);
}

/// One at most of each place is set, so at least as many go as stay.
void Timers::forget_old() {
    std::erase_if(heap_, [this](const Timer& timer) {
        return timers_[Places::place_of(timer.second)] != timer;
    });
    heap_.shrink_to_fit();
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
}

}  // namespace oncewire::hub
