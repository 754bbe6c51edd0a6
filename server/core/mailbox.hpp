#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "shared/base/time.hpp"

namespace oncewire::core {

/// The only way from one thread to another: mail of one closed set, first in first out, any number of
/// senders, one receiver.
///
/// Bounded by manners: a letter is never refused, because losing one would break recovery. But the
/// sequencer calls wait_for_room(), and a core asks is_full() of every box before it reads from its
/// clients, and reads nothing until there is room again. So the box holds `capacity` letters, or
/// `capacity_bytes` of them, and what each sender makes in one turn; and beyond that only what cores make
/// of the letters and timers they have already, because a core that waited for another might be waited for.
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
            is_full_ = is_full_now();
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
            is_full_ = is_full_now();
        }
        if (taken.was_full) emptied_.notify_all();
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

    /// Cheap: asked of every box before each reading.
    bool is_full() const { return is_full_; }
    /// For a sender that may block: returns when there is room, or when close() was called.
    void wait_for_room() {
        std::unique_lock lock(mutex_);
        emptied_.wait(lock, [this] { return !is_full_now() || closed_; });
    }

    /// Nobody waits here any more. What is posted is still kept.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        arrived_.notify_all();
        emptied_.notify_all();
    }
    bool is_closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

  private:
    bool is_full_now() const {
        return letters_.size() >= capacity_ || (weigh_ && bytes_ >= capacity_bytes_);
    }

    const std::size_t capacity_;
    const std::size_t capacity_bytes_ = 0;
    const Weigh weigh_ = nullptr;
    std::function<void()> wake_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::condition_variable emptied_;
    std::vector<Mail> letters_;
    std::size_t bytes_ = 0;              // of letters_, as weigh_ says
    std::atomic<bool> is_full_ = false;  // is_full_now() when it last changed
    bool closed_ = false;
    bool interrupted_ = false;
};

}  // namespace oncewire::core
