#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/frame.hpp"
#include "shared/base/result.hpp"

/// Engine.IO v4: framing, sessions and heartbeat below Socket.IO.
/// Spec tags: [EIO4 <section title>] is docs/engine.io-protocol/v4-current.md of socketio/socket.io.
namespace oncewire::engineio {

/// [EIO4 Packet encoding] The digits of the wire, '0' to '6'.
enum class PacketType : std::uint8_t { open, close, ping, pong, message, upgrade, noop };
inline constexpr int packet_type_count = 7;

/// [EIO4 Transports] How packets travel.
enum class TransportKind : std::uint8_t { polling, websocket };

/// One packet, borrowed from the frame it came in. A binary payload is always a message. That a text
/// payload is UTF-8 is checked by whoever reads it: the transport, the JSON check, the decoder.
struct PacketView {
    PacketType type = PacketType::noop;
    FrameType payload_type = FrameType::text;
    std::string_view payload;
};

/// Why a frame is no packet. Either closes the connection with "parse error".
enum class PacketError : std::uint8_t {
    empty,  ///< no bytes where a packet should be
    unknown_type,
    bad_base64,  ///< polling: a `b…` packet whose rest is not base64
    bad_utf8,    ///< polling: the body is not UTF-8
    too_many_packets,
};

/// A WebSocket message as a packet. Text `b<base64>` is not legal here (only in polling payloads).
/// Errors: empty, unknown_type.
Result<PacketView, PacketError> decode_frame(FrameView frame);

/// The WebSocket message for a packet; a binary message is the bytes alone.
Frame encode_frame(PacketType type, std::string_view payload = {});
Frame encode_binary(std::string bytes);

}  // namespace oncewire::engineio
