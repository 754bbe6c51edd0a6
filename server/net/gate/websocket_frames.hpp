#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shared/base/frame.hpp"
#include "shared/base/limits.hpp"

/// WebSocket framing, server side, without I/O.
///
/// Ours because the frames of a broadcast must be built once for all its receivers, several messages
/// must leave in one write, and an idle connection must own no buffer; a stream class that owns the
/// socket can do none of these. The handshake stays with Beast.
namespace oncewire::net {

/// [RFC6455 7.4.1] The codes we send.
enum class CloseCode : std::uint16_t {
    going_away = 1001,
    protocol_error = 1002,
    no_status = 1005,  ///< never on the wire: the peer's close frame was empty
    bad_text = 1007,
    policy_violation = 1008,
    message_too_big = 1009,
    try_again_later = 1013,
};

/// One thing a client said. The bytes belong to the parser or to its input and are valid until the
/// next call of either owner.
struct WebSocketInput {
    enum class Kind : std::uint8_t {
        message,
        ping,  ///< answer with a pong that carries `message.bytes`
        pong,
        close,      ///< echo `code`; nothing that follows is looked at
        violation,  ///< close with `code`; nothing that follows is looked at
    };
    Kind kind = Kind::message;
    FrameView message;
    std::uint16_t code = 0;
    bool is_compressed =
        false;  ///< a message that is to be inflated, and its text checked, by the owner
};

/// Bytes of one client in, whole messages out.
///
/// Promise: any bytes, cut anywhere, give the same inputs as the same bytes in one piece; memory is
/// bounded by one message plus one control frame, and while nothing is unfinished the parser owns no
/// heap memory; the announced length is judged before a byte of payload is kept.
///
/// Stricter than [RFC6455 5]: no extension but permessage-deflate; a bounded number of fragments, empty ones counted; a
/// bounded number of pings between two messages.
class WebSocketParser {
  public:
    struct Options {
        std::uint32_t message_bytes_max = limits::message_bytes;
        /// [RFC7692 6] Messages may be compressed.
        bool deflate = false;
    };

    /// 64: pings between two messages before it counts as a flood. An idle Engine.IO client sends a
    /// message (its pong) every 25 s; the ws package terminates at 60 unanswered ones.
    static constexpr std::uint32_t pings_between_messages_max = 64;

    WebSocketParser() = default;
    explicit WebSocketParser(Options options) : options_(options) {}

    /// Takes bytes off the front of `input`, unmasking them in place, until something is complete.
    /// None: all of `input` is used up.
    std::optional<WebSocketInput> next(std::span<char>& input);
    /// Kept of a message that has not come to its end.
    std::size_t unfinished_bytes() const { return unfinished_ ? unfinished_->message.size() : 0; }

  private:
    /// What must be kept because it did not arrive in one piece. Absent on idle connections.
    struct Unfinished {
        std::string message;
        std::string control;
    };

    bool take_header(std::span<char>& input);
    std::size_t header_length() const;
    std::optional<CloseCode> check_flags() const;
    std::optional<CloseCode> check_length() const;
    std::uint64_t announced_length() const;
    void start_payload();
    std::span<char> take_payload(std::span<char>& input);
    std::optional<WebSocketInput> finish_frame(std::string_view payload);
    std::optional<WebSocketInput> finish_control(std::string_view payload);
    std::optional<WebSocketInput> finish_close(std::string_view payload);
    std::optional<WebSocketInput> finish_data(std::string_view payload);
    WebSocketInput violate(CloseCode code);
    void keep(std::string_view payload);
    void forget_delivered();

    std::uint8_t opcode() const { return static_cast<std::uint8_t>(header_[0]) & 0x0f; }
    bool is_final() const { return (static_cast<std::uint8_t>(header_[0]) & 0x80) != 0; }
    bool is_control() const { return (opcode() & 0x08) != 0; }

    std::unique_ptr<Unfinished> unfinished_;
    Options options_;
    std::uint32_t payload_left_ = 0;
    std::uint16_t fragments_ = 0;
    std::uint16_t pings_ = 0;
    std::array<char, 14> header_{};
    std::uint8_t header_size_ = 0;
    std::uint8_t mask_phase_ = 0;
    FrameType message_type_ = FrameType::text;
    bool in_payload_ = false;
    bool in_message_ = false;     // between the first and the last fragment
    bool is_compressed_ = false;  // the message
    bool message_delivered_ = false;
    bool control_delivered_ = false;
    bool finished_ = false;
};

/// Appends the unmasked, unfragmented frame a server sends for a message.
void append_message(std::string& out, FrameView message);
/// The same for a message whose bytes were compressed. [RFC7692 7.2.1]
void append_compressed_message(std::string& out, FrameView message);
/// `payload`: at most 125 bytes, as any control frame the parser lets through.
void append_pong(std::string& out, std::string_view payload);
/// `code` no_status, or none of the caller's business: an empty close frame.
void append_close(std::string& out, std::uint16_t code);

}  // namespace oncewire::net
