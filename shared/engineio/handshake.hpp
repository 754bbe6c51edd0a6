#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/ids.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace oncewire::engineio {

/// [EIO4 Heartbeat] Who is silent for how long before whom.
struct Timings {
    Millis ping_interval{25'000};
    Millis ping_timeout{20'000};
    bool operator==(const Timings&) const = default;
};

/// [EIO4 Handshake] What the server tells the client in the open packet.
struct Handshake {
    EngineSid sid;
    bool websocket_upgrade = false;  ///< upgrades is ["websocket"] rather than []
    Timings timings;
    std::uint32_t payload_bytes_max = 1'000'000;
    bool names_payload_max = true;  ///< an older server has a maximum, too, but does not tell
    bool operator==(const Handshake&) const = default;
};

/// The JSON text: exactly the five keys, in the order the reference writes them.
std::string encode_handshake(const Handshake& handshake);

enum class HandshakeError : std::uint8_t {
    not_an_object,
    bad_sid,
    bad_upgrades,
    bad_timings,
    bad_payload_max,
};
/// Checks types and ranges (the reference client checks nothing): sid 1–256 bytes, upgrades an array of
/// strings, intervals 1 ms to 24 h, maxPayload absent (then the default above, as a guess) or positive; one that
/// does not fit 32 bits is as good as none and becomes the largest that does. Unknown keys are ignored.
Result<Handshake, HandshakeError> decode_handshake(std::string_view json);

}  // namespace oncewire::engineio
