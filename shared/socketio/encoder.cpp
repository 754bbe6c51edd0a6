#include "shared/socketio/encoder.hpp"

#include <utility>

#include "shared/base/decimal.hpp"

namespace oncewire::socketio {

namespace {

constexpr bool has_binary_form(PacketType type) {
    return type == PacketType::event || type == PacketType::ack;
}

/// The digit a packet goes by, '5' and '6' for those with attachments.
char type_digit(const Packet& packet) {
    int type = static_cast<int>(packet.type);
    if (!packet.attachments.empty() && has_binary_form(packet.type))
        type += static_cast<int>(PacketType::binary_event) - static_cast<int>(PacketType::event);
    return static_cast<char>('0' + type);
}

void append_namespace(std::string& out, std::string_view nsp) {
    if (nsp == "/") return;
    out += nsp;
    out += ',';
}

}  // namespace

std::vector<Frame> encode(const Packet& packet) {
    std::string text;
    text.reserve(packet.nsp.size() + packet.data.size() + 32);  // 32: digits and separators
    text += '4';
    text += type_digit(packet);
    if (!packet.attachments.empty()) {
        append_decimal(text, packet.attachments.size());
        text += '-';
    }
    append_namespace(text, packet.nsp);
    if (packet.ack_id) append_decimal(text, *packet.ack_id);
    text += packet.data;

    std::vector<Frame> frames;
    frames.reserve(1 + packet.attachments.size());
    frames.push_back({FrameType::text, std::move(text)});
    for (const std::string& bytes : packet.attachments)
        frames.push_back({FrameType::binary, bytes});
    return frames;
}

Frame encode_event(std::string_view nsp, std::string_view data, std::string_view extra) {
    std::string text;
    text.reserve(4 + nsp.size() + data.size() + extra.size());  // 4: "42" and two commas
    text += "42";
    append_namespace(text, nsp);
    if (extra.empty()) {
        text += data;
    } else {
        text += data.substr(0, data.size() - 1);
        text += ',';
        text += extra;
        text += ']';
    }
    return {FrameType::text, std::move(text)};
}

}  // namespace oncewire::socketio
