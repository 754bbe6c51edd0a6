#include "shared/engineio/payload.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "shared/base/base64.hpp"
#include "shared/base/utf8.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::engineio {

namespace {

constexpr char separator = '\x1e';

/// One element of a body as the frame it would be on a WebSocket.
Result<Frame, PacketError> decode_element(std::string_view element) {
    if (!element.empty() && element.front() == 'b') {
        auto bytes = base64::decode_wrapped(element.substr(1));
        if (!bytes) return Err{PacketError::bad_base64};
        return encode_binary(std::move(*bytes));
    }
    const FrameView frame(FrameType::text, element);
    if (const auto packet = decode_frame(frame); !packet) return Err{packet.error()};
    return Frame{FrameType::text, std::string(element)};
}

}  // namespace

Result<std::vector<Frame>, PacketError> decode_payload(std::string_view body,
                                                       std::uint32_t packets_max) {
    const auto separators =
        static_cast<std::size_t>(std::count(body.begin(), body.end(), separator));
    if (separators >= packets_max) return Err{PacketError::too_many_packets};
    if (!utf8::is_valid(body)) return Err{PacketError::bad_utf8};
    std::vector<Frame> frames;
    frames.reserve(separators + 1);
    for (std::size_t start = 0; start <= body.size();) {
        const std::size_t end = std::min(body.find(separator, start), body.size());
        auto frame = decode_element(body.substr(start, end - start));
        if (!frame) return Err{frame.error()};
        frames.push_back(std::move(*frame));
        start = end + 1;
    }
    return frames;
}

std::string encode_payload(const std::vector<Frame>& frames) {
    VERIFY(!frames.empty());  // the caller has something to send
    std::string body;
    for (const Frame& frame : frames) append_to_payload(body, frame);
    return body;
}

void append_to_payload(std::string& body, FrameView frame) {
    if (!body.empty()) body += separator;
    if (frame.type == FrameType::text) {
        body += frame.bytes;
        return;
    }
    body += 'b';
    body += base64::encode(frame.bytes);
}

}  // namespace oncewire::engineio
