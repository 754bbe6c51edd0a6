#include "shared/engineio/packet.hpp"

#include <utility>

namespace oncewire::engineio {

Result<PacketView, PacketError> decode_frame(FrameView frame) {
    if (frame.type == FrameType::binary)
        return PacketView{PacketType::message, FrameType::binary, frame.bytes};
    if (frame.bytes.empty()) return Err{PacketError::empty};
    const int digit = frame.bytes.front() - '0';
    if (digit < 0 || digit >= packet_type_count) return Err{PacketError::unknown_type};
    return PacketView{static_cast<PacketType>(digit), FrameType::text, frame.bytes.substr(1)};
}

Frame encode_frame(PacketType type, std::string_view payload) {
    std::string bytes;
    bytes.reserve(1 + payload.size());
    bytes += static_cast<char>('0' + static_cast<int>(type));
    bytes += payload;
    return {FrameType::text, std::move(bytes)};
}

Frame encode_binary(std::string bytes) { return {FrameType::binary, std::move(bytes)}; }

}  // namespace oncewire::engineio
