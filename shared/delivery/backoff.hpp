#pragma once

#include <cstdint>

#include "shared/base/prng.hpp"
#include "shared/base/time.hpp"

namespace oncewire::delivery {

/// Growing, jittered delays between attempts, so that a restarted server is not met by a herd. Same
/// defaults and formula as socket.io-client's reconnection: min * 2^n, plus or minus up to
/// `jitter_percent`, capped at `max`.
class Backoff {
  public:
    struct Policy {
        Millis min{1000};
        Millis max{5000};
        std::uint32_t jitter_percent = 50;
    };

    Backoff(Policy policy, Prng prng) : policy_(policy), prng_(prng) {}

    Millis next();
    void set_policy(Policy policy) { policy_ = policy; }
    void reset() { attempts_ = 0; }
    std::uint32_t attempts() const { return attempts_; }

  private:
    Policy policy_;
    Prng prng_;
    std::uint32_t attempts_ = 0;
};

}  // namespace oncewire::delivery
