#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oncewire {

enum class FrameType : std::uint8_t { text, binary };

/// One WebSocket message, or one packet of a polling body: bytes and whether they are text.
struct Frame {
    FrameType type = FrameType::text;
    std::string bytes;
    bool operator==(const Frame&) const = default;
};

/// A Frame somebody else owns; valid for the call it is passed to.
struct FrameView {
    FrameType type = FrameType::text;
    std::string_view bytes;

    FrameView() = default;
    FrameView(FrameType type_, std::string_view bytes_) : type(type_), bytes(bytes_) {}
    FrameView(const Frame& frame) : type(frame.type), bytes(frame.bytes) {}
};

}  // namespace oncewire
