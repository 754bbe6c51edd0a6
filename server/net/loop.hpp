#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <sys/epoll.h>

#include "shared/base/time.hpp"

namespace oncewire::net {

/// Whoever is told what became of descriptors.
class Watcher {
  public:
    virtual ~Watcher() = default;
    /// `events`: as in epoll(7). May be old news, of a descriptor that had the number before: so reading
    /// and writing must not block, and finding nothing is no error.
    virtual void handle_ready(int descriptor, std::uint32_t events) = 0;
    /// handle_ready() does nothing but remember: see Loop::glance().
    virtual bool takes_note() const { return false; }
};

/// Where a core waits, for everything at once: one epoll instance with all its descriptors, its timers,
/// and what is to be done later.
///
/// Ours because a turn of an idle core should be one system call, and because a connection that becomes
/// a WebSocket changes hands without one. One thread. Outlives all that refers to it.
class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// From now on `watcher` is told while any of `events` is so; it replaces who was told before. False:
    /// the kernel has no room for one more.
    bool watch(int descriptor, std::uint32_t events, Watcher& watcher);
    /// Nobody is told any more, not even that the peer is gone.
    void unwatch(int descriptor);
    /// The same for one that is closed at once or has been, which spares a system call.
    void forget(int descriptor);

    /// Does this once, in the next turn: after what is ready by then.
    void later(std::function<void()> task) { later_.push_back(std::move(task)); }

    /// One alarm. Its owner may end it, or itself, while it fires.
    class Timer {
      public:
        Timer(Loop& loop, std::function<void()> fire) : loop_(loop), fire_(std::move(fire)) {}
        ~Timer() { stop(); }
        Timer(const Timer&) = delete;
        Timer& operator=(const Timer&) = delete;

        /// Not earlier than then; replaces an alarm that was set.
        void set(Instant at);
        void set_after(Millis time) { set(loop_.now() + time); }
        void stop();
        /// None: it is not set.
        std::optional<Instant> due() const;

      private:
        friend class Loop;
        Loop& loop_;
        std::function<void()> fire_;
        std::optional<std::multimap<Instant, Timer*>::iterator> place_;
    };

    /// Waits until there is something to do, no longer than `at_most`, and does it. What a watcher or a
    /// timer throws comes out; the next turn goes on behind it.
    void turn(std::optional<Millis> at_most = std::nullopt);
    /// For somebody in the middle of much work: tells at once those who only take note of it. The others
    /// hear in the next turn.
    void glance();
    Instant now() const;

  private:
    struct Watched {
        Watcher* watcher = nullptr;
        std::uint32_t events = 0;
    };

    Watched& entry_of(int descriptor);
    int wait_milliseconds(std::optional<Millis> at_most) const;
    void collect(std::optional<Millis> at_most);
    void fire_timers();
    void do_tasks();

    int epoll_ = -1;
    std::vector<Watched> watched_;  // by descriptor
    std::vector<epoll_event> ready_;
    std::size_t ready_taken_ = 0;
    std::multimap<Instant, Timer*> timers_;
    // Last, so first to go: tasks may have timers and descriptors.
    std::vector<std::function<void()>> later_;
    std::vector<std::function<void()>> tasks_;
    std::size_t tasks_taken_ = 0;
};

}  // namespace oncewire::net
