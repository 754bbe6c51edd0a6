#pragma once

#include <cstdint>
#include <optional>
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

/// `body`: JSON text the sender gets as the answer. A handler that gives anything else has failed.
Verdict accept(std::string body = "null");
/// `code`: any but delivery::outcome_unknown, which says that there is no verdict. A handler that gives it
/// has rejected the message with the code "reserved_code".
Verdict reject(std::string_view code, std::string_view message);
/// The last word on a message that was offered before its sender's lease ended, and again after it.
Verdict outcome_unknown();

/// What a message put into the log: so many entries, one behind the other, from `first` on.
struct Publication {
    delivery::Offset first = 0;  ///< at least 1, also where there are none
    std::uint32_t entries = 0;
    bool operator==(const Publication&) const = default;
};

/// A verdict as kept for a producer's message, so that a resent copy gets the first answer again, and an
/// operator can find what became of it.
struct StoredVerdict {
    delivery::Digest digest = 0;
    Verdict verdict;
    std::optional<Publication> published = {};  ///< none: an older version stored it
    bool operator==(const StoredVerdict&) const = default;
};

}  // namespace oncewire::store
