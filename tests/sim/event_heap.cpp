#include "tests/sim/event_heap.hpp"

#include <algorithm>
#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::sim {

void EventHeap::at(Instant when, Action action) {
    events_due_.push_back({std::max(when, now_), ++asked_, std::move(action)});
    std::push_heap(events_due_.begin(), events_due_.end(), later);
}

std::optional<Instant> EventHeap::next() const {
    if (events_due_.empty()) return std::nullopt;
    return events_due_.front().when;
}

bool EventHeap::step() {
    if (events_due_.empty()) return false;
    std::pop_heap(events_due_.begin(), events_due_.end(), later);
    Event event = std::move(events_due_.back());
    events_due_.pop_back();
    now_ = event.when;
    ++events_;
    event.action();
    return true;
}

void EventHeap::pass(Instant when) {
    const auto due = next();
    VERIFY(!due || *due > when);
    now_ = std::max(now_, when);
}

void Timer::arm(EventHeap& heap, std::optional<Instant> when, EventHeap::Action action) {
    if (!when) return;
    const Instant due = std::max(*when, heap.now());
    if (armed_ && *armed_ <= due) return;
    armed_ = due;
    heap.at(due, std::move(action));
}

bool Timer::fired(Instant now) {
    if (!armed_ || *armed_ > now) return false;
    armed_.reset();
    return true;
}

}  // namespace oncewire::sim
