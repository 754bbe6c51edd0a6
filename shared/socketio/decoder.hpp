#pragma once

#include <cstdint>
#include <optional>

#include "shared/base/frame.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/socketio/packet.hpp"

namespace oncewire::socketio {

/// What is wrong with what the peer sent. All of them close the connection.
enum class DecodeError : std::uint8_t {
    empty,
    unknown_type,
    bad_namespace,
    bad_ack_id,
    bad_attachment_count,
    too_many_attachments,
    bad_json,              ///< not JSON, too deep, or missing where the type demands it
    bad_payload,           ///< JSON of the wrong shape for its type, or a reserved event name
    unexpected_binary,     ///< an attachment without a header
    unexpected_text,       ///< text while attachments are awaited
    bad_placeholder,       ///< index missing, fractional or out of range
    too_large,             ///< header and attachments together beyond limits::message_bytes
    attachments_late,      ///< limits::attachments_timeout passed
};
const char* error_text(DecodeError error);

/// [SIO5 Packet encoding] Engine.IO message payloads in, whole packets out; at most one packet is being
/// collected, bounded in count, bytes and time. After an error the decoder is dead: close.
class Decoder {
  public:
    /// `payload` is an Engine.IO message without its type digit. None: attachments are still missing.
    Result<std::optional<Packet>, DecodeError> decode(FrameView payload, Instant now);

    bool is_collecting() const { return collecting_.has_value(); }
    /// When attachments are late; the owner then closes.
    std::optional<Instant> next_timeout() const;

  private:
    struct Collecting {
        Packet packet;
        std::uint32_t expected = 0;
        std::uint64_t bytes = 0;
        Instant deadline;
    };
    // One pointer when idle: an idle connection should cost little.
    std::optional<Collecting> collecting_;
};

}  // namespace oncewire::socketio
