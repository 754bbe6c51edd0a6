#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/net/gate/websocket_frames.hpp"
#include "shared/base/result.hpp"

/// [RFC7692] permessage-deflate, without I/O.
///
/// Neither side keeps its window from one message to the next: so an idle connection owns no
/// compressor (the usual price is some 300 KB), and a broadcast is compressed once for everybody.
namespace oncewire::net {

/// Whether one of the offers in a Sec-WebSocket-Extensions header can be taken: every parameter known,
/// valid and named once, and our own window not to be smaller than it is. [RFC7692 7.1]
bool offers_deflate(std::string_view extensions);
/// The answer to such an offer.
inline constexpr std::string_view deflate_answer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// Makes the payload of a compressed message. [RFC7692 7.2.1]
class MessageDeflater {
  public:
    MessageDeflater();
    ~MessageDeflater();

    /// Valid until the next call.
    std::string_view deflate(std::string_view message);

  private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
    std::string out_;
};

/// Reads the payload of a compressed message. [RFC7692 7.2.2]
///
/// Promise: stops at the first byte beyond `message_bytes_max`, and beyond `free_bytes` at the first
/// beyond `ratio_max` times the input; never holds more than that.
class MessageInflater {
  public:
    /// 64 KiB: below it any ratio is harmless.
    static constexpr std::size_t free_bytes = 64u << 10;
    /// 256: JSON rarely shrinks below a twentieth; deflate itself can do 1,032.
    static constexpr std::size_t ratio_max = 256;

    explicit MessageInflater(std::uint32_t message_bytes_max);
    ~MessageInflater();

    /// The message, valid until the next call; or the code to close with: bad_text for data that is no
    /// compressed message, message_too_big for too much of it.
    Result<std::string_view, CloseCode> inflate(std::string_view payload);

  private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
    std::size_t bytes_max_;
    std::string out_;
};

}  // namespace oncewire::net
