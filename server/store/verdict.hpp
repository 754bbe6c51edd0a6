#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/delivery/position.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::store {

/// What became of a durable message. Both kinds are final and consume its sequence (R13); an outage is
/// no verdict (RetryLater).
struct Verdict {
    enum class Kind : std::uint8_t { accepted, rejected };

    Kind kind = Kind::accepted;
    /// JSON text. Accepted: the handler's answer (`null` if it gave none). Rejected: an object with
    /// `error` (a short code) and `message` (for people).
    std::string body = "null";
    bool operator==(const Verdict&) const = default;
};

/// `body`: JSON text the sender gets as the answer.
Verdict accept(std::string body = "null");
Verdict reject(std::string_view code, std::string_view message);

/// A verdict as kept for a producer's message, so that a resent copy gets the first answer again.
struct StoredVerdict {
    delivery::Digest digest = 0;
    Verdict verdict;
    bool operator==(const StoredVerdict&) const = default;
};

}  // namespace oncewire::store
