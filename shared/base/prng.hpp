#pragma once

#include <cstdint>

#include "shared/base/verify.hpp"

namespace oncewire {

/// Repeatable chance for jitter and simulated faults: xoshiro256** seeded through splitmix64
/// (Blackman and Vigna, 2018). The same seed gives the same numbers under every compiler, which the
/// standard library's distributions do not. Never a source of secrets.
class Prng {
  public:
    explicit Prng(std::uint64_t seed) {
        for (auto& word : state_) {
            seed += 0x9e3779b97f4a7c15u;
            std::uint64_t z = seed;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
            word = z ^ (z >> 31);
        }
    }

    std::uint64_t next() {
        const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotate_left(state_[3], 45);
        return result;
    }

    /// Uniform in [0, bound). The modulo bias is below 2^-32 for every bound used here.
    std::uint64_t below(std::uint64_t bound) {
        VERIFY(bound > 0);  // bounds are sizes of ours
        return next() % bound;
    }

    /// True in `numerator` of `denominator` draws.
    bool chance(std::uint64_t numerator, std::uint64_t denominator) {
        return below(denominator) < numerator;
    }

    /// An independent stream, so that drawing from one does not shift the other.
    Prng fork() { return Prng(next()); }

  private:
    static std::uint64_t rotate_left(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

    std::uint64_t state_[4] = {};
};

}  // namespace oncewire
