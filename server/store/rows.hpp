#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/store/verdict.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/dedupe.hpp"
#include "shared/delivery/position.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::store {

/// Where one database stands.
struct LogHead {
    delivery::Epoch epoch;
    delivery::Offset offset = 0;  ///< of the newest committed entry or recorded event; 0 if none
    bool operator==(const LogHead&) const = default;
};

/// How far one room has got.
struct RoomHead {
    std::uint64_t last_seq = 0;   ///< of its newest entry; 0: it never had one
    delivery::Offset newest = 0;  ///< offset of that entry
    bool operator==(const RoomHead&) const = default;
};

/// A producer's row: identity, fence, and high-water mark.
struct ProducerRow {
    delivery::ProducerIdentity identity;
    delivery::ProducerEpoch epoch = 0;
    delivery::HighWater seen;
    UnixMillis last_contact;
    std::string user = {};  ///< who used it first; empty: nobody in particular, so far
    /// Verdicts up to here are gone: its lease has ended.
    delivery::Sequence forgotten = 0;
    bool operator==(const ProducerRow&) const = default;
};

/// Tells one text from another without being it, so that a text that is taken back is kept nowhere: its
/// 64-bit FNV-1a and its length. Detects accidents, not attacks: who knows somebody's id and text
/// beforehand could say the same under it first, too.
std::string digest_of_body(std::string_view body);

/// A message stored under an id its sender chose (tier 1).
struct OnceRow {
    std::string body;             ///< what digest_of_body() says of the text that was stored
    std::string scope;            ///< the session that stored it first
    delivery::Offset offset = 0;  ///< where it is in the log
    bool operator==(const OnceRow&) const = default;
};

/// Work that a durable handler left for later (Tx::defer): done at least once, under the same key.
struct TaskRow {
    std::uint64_t id = 0;  ///< 1, 2, 3 …; never used twice while a process runs
    std::string key;       ///< the same at every attempt: idempotency key
    std::string name;
    std::string payload;  ///< JSON text
    bool operator==(const TaskRow&) const = default;
};

/// Something that one client is asked until it answers (Tx::ask): its row is there exactly as long as
/// that has not ended, and what ends it commits with the row's end.
struct QuestionRow {
    std::uint64_t id = 0;  ///< 1, 2, 3 …; never used twice in one history
    ProducerId recipient;
    std::string key;   ///< by which the application knows it; no two that are there share one
    std::string nsp;   ///< where it was asked
    std::string data;  ///< JSON array text: ["event", …args]
    UnixMillis expires_at;
    bool operator==(const QuestionRow&) const = default;
};

}  // namespace oncewire::store
