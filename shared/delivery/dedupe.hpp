#pragma once

#include <cstdint>

#include "shared/delivery/producer.hpp"

namespace oncewire::delivery {

/// What a receiver remembers of one producer: one row, no time window.
struct HighWater {
    Sequence last = 0;       ///< every sequence up to here has its verdict
    Digest last_digest = 0;  ///< of message `last`; 0 if there is none
    bool operator==(const HighWater&) const = default;
};

enum class Judgement : std::uint8_t {
    next,      ///< last+1: run it, and store its verdict in the same transaction
    repeated,  ///< has a verdict already: give that verdict again, any number of times
    gap,       ///< beyond last+1: something is missing; ask to send from last+1
};

/// Rule R4. A repeated message still has to match the digest stored for its sequence, else it is a
/// conflict (R9): the sender's storage was rolled back and it must renumber.
constexpr Judgement judge(Sequence last, Sequence sequence) {
    if (sequence <= last) return Judgement::repeated;
    return sequence == last + 1 ? Judgement::next : Judgement::gap;
}

}  // namespace oncewire::delivery
