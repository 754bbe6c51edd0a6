// Any polling body: its frames are packets, written and read again they are the same frames, the bound
// holds, and base64 has one spelling for what it accepted.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/base/base64.hpp"
#include "shared/base/utf8.hpp"
#include "shared/base/verify.hpp"
#include "shared/engineio/packet.hpp"
#include "shared/engineio/payload.hpp"

using namespace oncewire;
using namespace oncewire::engineio;

namespace {

constexpr std::uint32_t packets_max = 100;

void check_body(std::string_view body) {
    const auto frames = decode_payload(body, packets_max);
    if (!frames) return;
    VERIFY(!frames->empty() && frames->size() <= packets_max);
    for (const Frame& frame : *frames) {
        VERIFY(bool(decode_frame(frame)));
        VERIFY(frame.type == FrameType::binary || utf8::is_valid(frame.bytes));
    }
    const auto again = decode_payload(encode_payload(*frames), packets_max);
    VERIFY(again && *again == *frames);
    VERIFY(bool(decode_payload(body, static_cast<std::uint32_t>(frames->size()))));
    VERIFY(!decode_payload(body, static_cast<std::uint32_t>(frames->size() - 1)));
}

void check_base64(std::string_view text) {
    const auto bytes = base64::decode(text);
    if (!bytes) return;
    VERIFY(base64::decode(base64::encode(*bytes)) == bytes);
    VERIFY(base64::decode(base64::encode_url(*bytes)) == bytes);
    const auto digits = text.substr(0, text.find('='));
    VERIFY(base64::encode_url(*bytes).size() == digits.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    check_body(input);
    check_base64(input);
    return 0;
}
