#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "server/turn/box.hpp"
#include "shared/base/time.hpp"

namespace oncewire::core {

/// The only way from one thread to another: a Box that any number of threads post to and one takes from.
///
/// Nobody waits for ever: a box that was full for `patience` is stuck. Then cores read on, and leave out what is
/// for whoever is there (mail::is_ephemeral).
template <class Mail>
class Mailbox {
  public:
    using Bounds = typename turn::Box<Mail>::Bounds;
    using Taken = typename turn::Box<Mail>::Taken;

    explicit Mailbox(Bounds bounds) : box_(bounds) {}
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    /// How to wake the receiver: called by the sender whose mail came into an empty box, so once per
    /// batch. Set before the first post().
    void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

    void post(std::vector<Mail> letters) {
        bool was_empty = false;
        {
            const std::lock_guard lock(mutex_);
            was_empty = box_.post(std::move(letters));
            note_full();
        }
        if (!was_empty) return;
        arrived_.notify_one();
        if (wake_) wake_();
    }

    /// Everything there is.
    Taken take() {
        const std::lock_guard lock(mutex_);
        Taken taken = box_.take();
        note_full();
        return taken;
    }
    /// Wakes the receiver without mail.
    void wake() {
        if (wake_) wake_();
    }

    /// For a receiver that has nothing else to do: returns when there is mail, when close() was called,
    /// or after `at_most`.
    void wait(std::optional<Millis> at_most) {
        std::unique_lock lock(mutex_);
        const auto ready = [this] { return !box_.is_empty() || closed_ || interrupted_; };
        if (at_most) {
            arrived_.wait_for(lock, std::chrono::milliseconds(at_most->count()), ready);
        } else {
            arrived_.wait(lock, ready);
        }
        interrupted_ = false;
    }
    /// Makes the running wait(), or else the next one, return without mail.
    void interrupt() {
        {
            const std::lock_guard lock(mutex_);
            interrupted_ = true;
        }
        arrived_.notify_one();
    }

    // Cheap: asked of every box before each reading.
    bool is_full() const { return full_since_ != not_full; }
    bool is_crowded() const { return is_full() && !is_stuck(); }
    bool is_stuck() const {
        const auto since = full_since_.load();
        return since != not_full && Clock::now().time_since_epoch() - Clock::duration(since) >
                                        std::chrono::milliseconds(turn::patience.count());
    }

    /// Nobody waits here any more. What is posted is still kept.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        arrived_.notify_all();
    }
    bool is_closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr Clock::rep not_full = std::numeric_limits<Clock::rep>::min();

    void note_full() {
        if (!box_.is_full()) {
            full_since_ = not_full;
        } else if (full_since_ == not_full) {
            full_since_ = Clock::now().time_since_epoch().count();
        }
    }

    std::function<void()> wake_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    turn::Box<Mail> box_;
    std::atomic<Clock::rep> full_since_ = not_full;
    bool closed_ = false;
    bool interrupted_ = false;
};

}  // namespace oncewire::core
