// Any messages: what is decoded is a valid packet, encodes to frames that decode to the same packet, and
// does not depend on what the decoder had seen before.
//
// Input: frames separated by 0xFF; those that begin with 'b' are binary.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/utf8.hpp"
#include "shared/base/verify.hpp"
#include "shared/socketio/decoder.hpp"
#include "shared/socketio/encoder.hpp"

using namespace oncewire;
using namespace oncewire::socketio;

namespace {

constexpr Instant now{};

std::vector<FrameView> split(std::string_view input) {
    std::vector<FrameView> frames;
    while (true) {
        const std::string_view piece = input.substr(0, input.find('\xff'));
        const bool is_binary = !piece.empty() && piece.front() == 'b';
        frames.emplace_back(is_binary ? FrameType::binary : FrameType::text,
                            is_binary ? piece.substr(1) : piece);
        if (piece.size() == input.size()) return frames;
        input.remove_prefix(piece.size() + 1);
    }
}

/// Every placeholder in a tree built by another parser names one of `count` attachments.
bool names_only(const nlohmann::json& tree, std::size_t count) {
    if (tree.is_object() && tree.value("_placeholder", nlohmann::json()) == true) {
        const auto index = tree.find("num");
        if (index == tree.end() || !index->is_number_integer()) return false;
        if (*index < 0 || *index >= count) return false;
    }
    for (const auto& part : tree)
        if (part.is_structured() && !names_only(part, count)) return false;
    return true;
}

bool is_event_list(std::string_view data) {
    const auto name = json::first_element(data);
    if (!name) return false;
    if (json::kind_of(*name) == json::Kind::number) return true;
    const auto text = json::as_string(*name);
    return text && !is_reserved_event(*text);
}

void check_valid(const Packet& packet) {
    VERIFY(packet.nsp.front() == '/' && packet.nsp.size() <= limits::namespace_bytes);
    VERIFY(utf8::is_valid(packet.nsp) && packet.nsp.find(',') == std::string::npos);
    VERIFY(!packet.ack_id || *packet.ack_id <= static_cast<AckId>(limits::safe_integer));
    VERIFY(packet.data.empty() || json::is_valid(packet.data, limits::json_depth));
    VERIFY(json::trim(packet.data) == packet.data);
    VERIFY(packet.attachments.size() <= limits::attachments_per_packet);
    const bool may_have_id = packet.type == PacketType::event || packet.type == PacketType::ack;
    VERIFY(may_have_id || (!packet.ack_id && packet.attachments.empty()));
    switch (packet.type) {
        case PacketType::connect:
            VERIFY(packet.data.empty() || json::kind_of(packet.data) == json::Kind::object);
            break;
        case PacketType::disconnect:
            VERIFY(packet.data.empty());
            break;
        case PacketType::event:
            VERIFY(is_event_list(packet.data));
            break;
        case PacketType::ack:
            VERIFY(packet.ack_id && json::kind_of(packet.data) == json::Kind::array);
            break;
        case PacketType::connect_error:
            VERIFY(json::kind_of(packet.data) == json::Kind::object);
            break;
        case PacketType::binary_event:
        case PacketType::binary_ack:
            VERIFY(false);
    }
    if (packet.attachments.empty()) return;
    const auto tree = nlohmann::json::parse(packet.data, nullptr, false);
    VERIFY(tree.is_discarded() || names_only(tree, packet.attachments.size()));
}

/// The one packet these frames are, read by a decoder that has seen nothing else.
Packet decode_alone(const std::vector<FrameView>& frames) {
    Decoder decoder;
    for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
        const auto unfinished = decoder.decode(frames[i], now);
        VERIFY(unfinished && !*unfinished && decoder.is_collecting());
    }
    auto result = decoder.decode(frames.back(), now);
    VERIFY(result && *result && !decoder.is_collecting());
    return std::move(**result);
}

void check_round_trip(const Packet& packet) {
    const std::vector<Frame> frames = encode(packet);
    std::vector<FrameView> views(frames.begin(), frames.end());
    VERIFY(views.front().bytes.front() == '4');
    views.front().bytes.remove_prefix(1);
    VERIFY(decode_alone(views) == packet);
    VERIFY(encode(decode_alone(views)) == frames);
    if (packet.type != PacketType::event || packet.ack_id || !packet.attachments.empty()) return;
    VERIFY(encode_event(packet.nsp, packet.data, "") == frames.front());
    const Frame extended = encode_event(packet.nsp, packet.data, "\"x\"");
    const Packet longer =
        decode_alone({{FrameType::text, std::string_view(extended.bytes).substr(1)}});
    VERIFY(json::elements(longer.data).size() == json::elements(packet.data).size() + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Decoder decoder;
    std::vector<FrameView> pending;
    for (const FrameView& frame : split({reinterpret_cast<const char*>(data), size})) {
        pending.push_back(frame);
        auto result = decoder.decode(frame, now);
        if (!result) return 0;
        VERIFY(decoder.is_collecting() == !result->has_value());
        VERIFY(decoder.is_collecting() == decoder.next_timeout().has_value());
        if (!*result) continue;
        check_valid(**result);
        VERIFY(decode_alone(pending) == **result);
        check_round_trip(**result);
        pending.clear();
    }
    return 0;
}
