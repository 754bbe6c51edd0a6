// Any bytes from a client give the same inputs whole, byte by byte, and cut where the bytes say; nothing
// is kept beyond one message; nothing is heard after the end.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/net/gate/websocket_frames.hpp"
#include "shared/base/verify.hpp"

using namespace oncewire;

namespace {

std::vector<std::string> hear(const std::string& bytes, std::size_t piece) {
    net::WebSocketParser parser({.message_bytes_max = 300});
    std::vector<std::string> heard;
    bool ended = false;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        std::string part = bytes.substr(at, piece);
        std::span<char> input(part);
        while (const auto next = parser.next(input)) {
            VERIFY(!ended);
            VERIFY(next->message.bytes.size() <= 300);
            ended = next->kind == net::WebSocketInput::Kind::close ||
                    next->kind == net::WebSocketInput::Kind::violation;
            heard.push_back(std::to_string(static_cast<int>(next->kind)) + ":" +
                            std::to_string(next->code) + ":" + std::string(next->message.bytes));
        }
        VERIFY(input.empty());
    }
    return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    const auto heard = hear(bytes, bytes.size());
    VERIFY(hear(bytes, 1) == heard);
    VERIFY(hear(bytes, 1 + data[size - 1] % 32u) == heard);
    return 0;
}
