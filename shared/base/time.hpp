#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace oncewire {

using Millis = std::chrono::duration<std::int64_t, std::milli>;

/// Time as the protocol sees it: monotonic, handed in by the host, never read from the system.
/// There is deliberately no now(), so asking this clock for the time does not compile.
struct ProtocolClock {
    using duration = Millis;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<ProtocolClock>;
    static constexpr bool is_steady = true;
};

/// A moment on the host's monotonic clock. Only differences mean anything.
using Instant = ProtocolClock::time_point;

/// Wall-clock milliseconds since 1970, for showing to people, and for what is meant in days: retention,
/// leases, when a question or a token expires. Never decides what came first.
struct UnixMillis {
    std::int64_t value = 0;
    bool operator==(const UnixMillis&) const = default;
};

/// The sooner of two deadlines, where "none" is later than everything.
constexpr std::optional<Instant> earliest(std::optional<Instant> a, std::optional<Instant> b) {
    if (!a) return b;
    if (!b) return a;
    return *a < *b ? a : b;
}

}  // namespace oncewire
