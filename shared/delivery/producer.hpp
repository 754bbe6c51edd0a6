#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/ids.hpp"

namespace oncewire::delivery {

/// Who sends: made once by the client, kept with the outbox, and presented at every attach.
struct ProducerIdentity {
    ProducerId id;
    ProducerSecret secret;
    bool operator==(const ProducerIdentity&) const = default;
};

/// Counts a producer's messages: 1, 2, 3 … without holes. 0 is "none yet".
using Sequence = std::uint64_t;
/// Raised by the server at each attach; whoever holds an older one is a zombie and is ignored (R10).
using ProducerEpoch = std::uint64_t;

/// Marks one message so that a resent copy can be told from another message that took the same
/// sequence after browser storage was rolled back (R9): 64-bit FNV-1a of `salt` and the JSON text.
/// The salt is drawn anew at each start of the client, so that even the same text typed again after a
/// roll-back is another message. Detects accidents, not attacks; the producer secret keeps strangers
/// out.
using Digest = std::uint64_t;
Digest digest(std::string_view message, std::uint64_t salt);

/// Lower-case hex of any bytes; with 16 random bytes, the form of producer ids and secrets.
std::string hex(std::string_view bytes);
/// 16 lower-case hex digits, the wire form of a Digest.
std::string format_digest(Digest digest);
std::optional<Digest> parse_digest(std::string_view text);
/// True for exactly 32 lower-case hex digits.
bool is_producer_token(std::string_view text);

}  // namespace oncewire::delivery
