#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "shared/base/time.hpp"

namespace oncewire::core {

/// The only way from one thread to another: mail of one closed set, first in first out, any number of
/// senders, one receiver.
///
/// Bounded by manners: a letter is never refused. But a core asks is_crowded() of every box before it reads from
/// its clients, and reads nothing until there is room again; and the sequencer leaves out of a full box what its
/// owner can read from the log (mail::without_feed). So the box holds `capacity` letters, or `capacity_bytes` of
/// them, what each sender makes in one turn, and answers to what its owner has asked.
///
/// Nobody waits for ever: a box that was full for `patience` is stuck. Then cores read on, and leave out what is
/// for whoever is there (mail::is_ephemeral).
template <class Mail>
class Mailbox {
  public:
    using Weigh = std::size_t (*)(const Mail&);

    explicit Mailbox(std::size_t capacity) : capacity_(capacity) {}
    /// `weigh`: the bytes that a letter keeps.
    Mailbox(std::size_t capacity, std::size_t capacity_bytes, Weigh weigh)
        : capacity_(capacity), capacity_bytes_(capacity_bytes), weigh_(weigh) {}
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    /// How to wake the receiver: called by the sender whose mail came into an empty box, so once per
    /// batch. Set before the first post().
    void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

    void post(std::vector<Mail> letters) {
        if (letters.empty()) return;
        std::size_t bytes = 0;
        if (weigh_) {
            for (const Mail& letter : letters) bytes += weigh_(letter);
        }
        bool was_empty = false;
        {
            const std::lock_guard lock(mutex_);
            was_empty = letters_.empty();
            bytes_ += bytes;
            if (was_empty) {
                letters_ = std::move(letters);
            } else {
                letters_.insert(letters_.end(), std::make_move_iterator(letters.begin()),
                                std::make_move_iterator(letters.end()));
            }
            note_full();
        }
        if (!was_empty) return;
        arrived_.notify_one();
        if (wake_) wake_();
    }

    struct Taken {
        std::vector<Mail> letters;
        bool was_full = false;  ///< senders may be waiting for room; wake them
    };
    /// Everything there is.
    Taken take() {
        Taken taken;
        {
            const std::lock_guard lock(mutex_);
            taken.was_full = is_full_now();
            taken.letters.swap(letters_);
            bytes_ = 0;
            note_full();
        }
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
        const auto ready = [this] { return !letters_.empty() || closed_ || interrupted_; };
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

    /// 1 s: a core that takes nothing for that long is in a handler that does not end, and whoever waited for it
    /// would be stuck, too.
    static constexpr std::chrono::milliseconds patience{1000};

    // Cheap: asked of every box before each reading.
    bool is_full() const { return full_since_ != not_full; }
    bool is_crowded() const { return is_full() && !is_stuck(); }
    bool is_stuck() const {
        const auto since = full_since_.load();
        return since != not_full &&
               Clock::now().time_since_epoch() - Clock::duration(since) > patience;
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

    bool is_full_now() const {
        return letters_.size() >= capacity_ || (weigh_ && bytes_ >= capacity_bytes_);
    }
    void note_full() {
        if (!is_full_now()) {
            full_since_ = not_full;
        } else if (full_since_ == not_full) {
            full_since_ = Clock::now().time_since_epoch().count();
        }
    }

    const std::size_t capacity_;
    const std::size_t capacity_bytes_ = 0;
    const Weigh weigh_ = nullptr;
    std::function<void()> wake_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Mail> letters_;
    std::size_t bytes_ = 0;  // of letters_, as weigh_ says
    std::atomic<Clock::rep> full_since_ = not_full;
    bool closed_ = false;
    bool interrupted_ = false;
};

}  // namespace oncewire::core
