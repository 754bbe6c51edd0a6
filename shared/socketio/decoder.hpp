#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

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
    bad_namespace,  ///< longer than limits::namespace_bytes, or not UTF-8
    bad_ack_id,     ///< too many digits, beyond 2^53-1, followed by space, or missing in an ack
    bad_attachment_count,  ///< no digits, zero, or no '-' after it
    too_many_attachments,
    bad_json,           ///< not JSON, too deep, or missing where the type demands it
    bad_payload,        ///< JSON of the wrong shape for its type, or a reserved event name
    unexpected_binary,  ///< an attachment without a header
    unexpected_text,    ///< text while attachments are awaited
    bad_placeholder,    ///< index missing, no integer, or out of range
    too_large,          ///< header and attachments together beyond the caller's bound
    attachments_late,   ///< limits::attachments_timeout passed
};
/// A few words for a log.
const char* error_text(DecodeError error);

/// [SIO5 Packet encoding] Engine.IO message payloads in, whole packets out; at most one packet is being
/// collected, bounded in count, bytes and time.
///
/// Promise: any bytes at all give a valid Packet or an error, in linear time and with what is kept
/// bounded by the caller. Where the reference is lenient this is not: ack ids and counts are
/// plain digits, events and acks must have data, placeholder indices must be integers. After an error
/// the decoder is of no more use: close.
class Decoder {
  public:
    /// `payload` is an Engine.IO message without its type digit. `bytes_max`: of a packet with its
    /// attachments. None: attachments are still missing.
    Result<std::optional<Packet>, DecodeError> decode(
        FrameView payload, Instant now, std::uint32_t bytes_max = limits::message_bytes);

    bool is_collecting() const { return collecting_ != nullptr; }
    /// Of the packet whose attachments are missing.
    std::uint64_t collected_bytes() const { return collecting_ ? collecting_->bytes : 0; }
    /// When attachments are late; the owner then closes.
    std::optional<Instant> next_timeout() const;

  private:
    struct Collecting {
        Packet packet;
        std::uint32_t expected = 0;
        std::uint64_t bytes = 0;
        Instant deadline;
    };
    Result<std::optional<Packet>, DecodeError> decode_text(std::string_view text, Instant now,
                                                           std::uint32_t bytes_max);
    Result<std::optional<Packet>, DecodeError> decode_attachment(std::string_view bytes,
                                                                 Instant now,
                                                                 std::uint32_t bytes_max);

    std::unique_ptr<Collecting> collecting_;  // one pointer: an idle connection should cost little
};

}  // namespace oncewire::socketio
