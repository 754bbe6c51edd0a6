#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

namespace oncewire::sim {

/// Tells whoever waits for a long run, about every ten seconds on stderr, how far it is and how long it
/// will still take. Reads the real clock, so it stands outside of all worlds. Any thread may call.
class Progress {
  public:
    /// `total`: worlds; 0 if nobody knows how many there will be.
    explicit Progress(std::uint64_t total = 0) : total_(total) {}

    /// One more world is lived through.
    void add_world() {
        const std::uint64_t worlds = ++worlds_;
        const std::int64_t seconds = since_beginning();
        std::int64_t due = due_;
        // Of several threads one says it.
        if (seconds < due || !due_.compare_exchange_strong(due, seconds + every)) return;
        std::cerr << describe(worlds, static_cast<std::uint64_t>(seconds)) << std::flush;
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::int64_t every = 10;  // seconds

    std::int64_t since_beginning() const {
        return std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - beginning_).count();
    }
    std::string describe(std::uint64_t worlds, std::uint64_t seconds) const {
        std::string text = std::to_string(worlds);
        if (total_ > 0) text += " of " + std::to_string(total_);
        text += " worlds, " + std::to_string(worlds / seconds) + " a second";
        if (total_ > 0)
            text += ", " + std::to_string((total_ - worlds) * seconds / worlds) + " s left";
        return text + '\n';
    }

    const std::uint64_t total_;
    const Clock::time_point beginning_ = Clock::now();
    std::atomic<std::uint64_t> worlds_{0};
    std::atomic<std::int64_t> due_{every};
};

}  // namespace oncewire::sim
