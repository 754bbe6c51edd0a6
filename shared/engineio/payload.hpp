#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/frame.hpp"
#include "shared/base/result.hpp"
#include "shared/engineio/packet.hpp"

namespace oncewire::engineio {

/// [EIO4 HTTP long-polling] One body carries several packets, separated by 0x1E; binary messages as
/// `b` + base64, which may be wrapped into lines, as clients in Java do. Each element is the frame the same packet would be on a WebSocket.
///
/// Errors: any bad packet spoils the whole body (stricter than the reference, which delivers those
/// before it), as does invalid UTF-8, an empty packet (an empty body is one), or more than
/// `packets_max` packets. Linear time; the count is known before anything is stored.
Result<std::vector<Frame>, PacketError> decode_payload(std::string_view body,
                                                       std::uint32_t packets_max);

/// The body for these frames; `frames` must not be empty.
std::string encode_payload(const std::vector<Frame>& frames);
/// Appends one frame to a body under construction.
void append_to_payload(std::string& body, FrameView frame);

}  // namespace oncewire::engineio
