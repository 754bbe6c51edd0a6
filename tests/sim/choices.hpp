#pragma once

#include <cstdint>
#include <vector>

#include "shared/base/prng.hpp"
#include "shared/base/time.hpp"

namespace oncewire::sim {

/// Every random decision of a run, one after the other.
///
/// A run is a function of this list alone: recorded once, the same list gives the same run, and a
/// shorter or tamer list gives a simpler run of the same world. That is why 0 always means the quiet
/// alternative (no fault, the shortest delay), and why a list that has run out answers 0.
class Choices {
  public:
    explicit Choices(std::uint64_t seed) : prng_(seed) {}
    /// Replays `list`; numbers that no longer fit are folded into range.
    explicit Choices(std::vector<std::uint32_t> list) : list_(std::move(list)), replays_(true) {}

    /// A number below `n`. `label` says what is being decided, for whoever reads a recorded list.
    std::uint32_t choose(const char* label, std::uint32_t n);

    std::uint32_t between(const char* label, std::uint32_t low, std::uint32_t high) {
        return low + choose(label, high - low + 1);
    }
    /// True in `numerator` of `denominator` draws; 0 is "no".
    bool chance(const char* label, std::uint32_t numerator, std::uint32_t denominator) {
        return choose(label, denominator) >= denominator - numerator;
    }
    Millis delay(const char* label, std::uint32_t low, std::uint32_t high) {
        return Millis{between(label, low, high)};
    }
    /// Each doubling of `low` up to `high` is as likely as the next, so that both 0.1 s and 60 s occur.
    Millis long_tailed(const char* label, std::uint32_t low, std::uint32_t high);

    struct Taken {
        const char* label;
        std::uint32_t value;
    };
    /// Every decision is kept for taken().
    void record() { records_ = true; }
    const std::vector<Taken>& taken() const { return taken_; }

  private:
    Prng prng_{0};
    std::vector<std::uint32_t> list_;
    std::uint32_t position_ = 0;
    bool replays_ = false;
    bool records_ = false;
    std::vector<Taken> taken_;
};

}  // namespace oncewire::sim
