#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "shared/base/time.hpp"

namespace oncewire::sim {

/// The virtual clock and everything that is going to happen, in order of (time, when it was asked for).
class EventHeap {
  public:
    using Action = std::function<void()>;

    Instant now() const { return now_; }
    std::uint64_t events() const { return events_; }

    void at(Instant when, Action action);
    void after(Millis delay, Action action) { at(now_ + delay, std::move(action)); }

    /// When the next event is due; none if nothing will ever happen.
    std::optional<Instant> next() const;
    /// Moves the clock to the next event and runs it. False: there was none.
    bool step();
    /// Nothing is due before `when`: moves the clock there.
    void pass(Instant when);
    /// Since the beginning.
    Millis elapsed() const { return now_ - beginning; }

  private:
    struct Event {
        Instant when;
        std::uint64_t sequence;
        Action action;
    };
    static bool later(const Event& a, const Event& b) {
        return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
    }

    static constexpr Instant beginning{Millis{1'000'000}};

    Instant now_ = beginning;
    std::uint64_t asked_ = 0;
    std::uint64_t events_ = 0;
    std::vector<Event> events_due_;
};

/// One timer of one owner: at most one live event, however often it is armed. The event's action must
/// ask fired() first, because it may have been overtaken by an earlier one.
class Timer {
  public:
    /// Sees to it that `action` runs at `when` (or now, if that is past), unless it runs earlier anyway.
    void arm(EventHeap& heap, std::optional<Instant> when, EventHeap::Action action);
    /// True once for each time the timer was armed and is due.
    bool fired(Instant now);

  private:
    std::optional<Instant> armed_;
};

}  // namespace oncewire::sim
