#include "server/net/gate/websocket_frames.hpp"

#include <algorithm>
#include <cstring>

#include "shared/base/give_back.hpp"
#include "shared/base/utf8.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::net {
namespace {

// [RFC6455 5.2]
constexpr std::uint8_t opcode_continuation = 0x0;
constexpr std::uint8_t opcode_text = 0x1;
constexpr std::uint8_t opcode_binary = 0x2;
constexpr std::uint8_t opcode_close = 0x8;
constexpr std::uint8_t opcode_pong = 0xa;
constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t compressed_bit = 0x40;  // [RFC7692 6] the first of them
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7f;
constexpr std::uint8_t length_is_16_bit = 126;
constexpr std::uint8_t length_is_64_bit = 127;
constexpr std::size_t control_payload_max = 125;
constexpr std::size_t mask_bytes = 4;

std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

bool is_known(std::uint8_t opcode) {
    return opcode <= opcode_binary || (opcode >= opcode_close && opcode <= opcode_pong);
}

std::uint64_t big_endian(const char* bytes, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | byte(bytes[i]);
    return value;
}

void append_big_endian(std::string& out, std::uint64_t value, int count) {
    for (int i = count - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// [RFC6455 5.3] `phase`: how many payload bytes of this frame came before.
void unmask(std::span<char> bytes, const char* mask, std::uint8_t phase) {
    std::array<char, 8> key;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = mask[(phase + i) % mask_bytes];
    std::uint64_t wide_key;
    std::memcpy(&wide_key, key.data(), sizeof wide_key);
    std::size_t i = 0;
    for (; i + sizeof wide_key <= bytes.size(); i += sizeof wide_key) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + i, sizeof word);
        word ^= wide_key;
        std::memcpy(bytes.data() + i, &word, sizeof word);
    }
    for (; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ key[i % key.size()]);
}

/// [RFC6455 7.4] Codes a peer may put on the wire.
bool may_be_sent(std::uint16_t code) {
    if (code >= 3000) return code <= 4999;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

/// `first`: opcode and reserved bits.
void append_header(std::string& out, std::uint8_t first, std::size_t size) {
    out += static_cast<char>(final_bit | first);
    if (size < length_is_16_bit) {
        out += static_cast<char>(size);
    } else if (size <= 0xffff) {
        out += static_cast<char>(length_is_16_bit);
        append_big_endian(out, size, 2);
    } else {
        out += static_cast<char>(length_is_64_bit);
        append_big_endian(out, size, 8);
    }
}

std::uint8_t opcode_of(FrameType type) {
    return type == FrameType::text ? opcode_text : opcode_binary;
}

}  // namespace

std::optional<WebSocketInput> WebSocketParser::next(std::span<char>& input) {
    forget_delivered();
    while (!finished_) {
        if (!in_payload_) {
            const bool whole = take_header(input);
            if (header_size_ >= 2) {
                if (const auto code = check_flags()) return violate(*code);
            }
            if (!whole) return std::nullopt;
            if (const auto code = check_length()) return violate(*code);
            start_payload();
        }
        const std::span<char> payload = take_payload(input);
        const std::string_view bytes(payload.data(), payload.size());
        if (payload_left_ > 0) {
            keep(bytes);
            return std::nullopt;
        }
        in_payload_ = false;
        header_size_ = 0;
        if (auto complete = finish_frame(bytes)) return complete;
    }
    input = {};
    return std::nullopt;
}

bool WebSocketParser::take_header(std::span<char>& input) {
    while (header_size_ < header_length()) {
        if (input.empty()) return false;
        header_[header_size_++] = input.front();
        input = input.subspan(1);
    }
    return true;
}

std::size_t WebSocketParser::header_length() const {
    if (header_size_ < 2) return 2;
    // Unmasked frames are refused after two bytes, before this could wait for a mask.
    const std::uint8_t length = byte(header_[1]) & length_bits;
    if (length == length_is_16_bit) return 2 + 2 + mask_bytes;
    if (length == length_is_64_bit) return 2 + 8 + mask_bytes;
    return 2 + mask_bytes;
}

std::optional<CloseCode> WebSocketParser::check_flags() const {
    const bool may_be_compressed =
        options_.deflate && !is_control() && opcode() != opcode_continuation;
    const std::uint8_t forbidden =
        may_be_compressed ? reserved_bits & ~compressed_bit : reserved_bits;
    const bool wrong = (byte(header_[0]) & forbidden) != 0 || !is_known(opcode()) ||
                       (byte(header_[1]) & mask_bit) == 0;
    if (wrong) return CloseCode::protocol_error;
    if (is_control()) {
        const bool fits = (byte(header_[1]) & length_bits) <= control_payload_max;
        if (!is_final() || !fits) return CloseCode::protocol_error;
        return std::nullopt;
    }
    if ((opcode() == opcode_continuation) != in_message_) return CloseCode::protocol_error;
    if (fragments_ >= limits::fragments_per_message) return CloseCode::policy_violation;
    return std::nullopt;
}

std::optional<CloseCode> WebSocketParser::check_length() const {
    const std::uint8_t form = byte(header_[1]) & length_bits;
    const std::uint64_t length = announced_length();
    if (form == length_is_16_bit && length < length_is_16_bit) return CloseCode::protocol_error;
    if (form == length_is_64_bit && length <= 0xffff) return CloseCode::protocol_error;
    if (is_control()) return std::nullopt;
    const std::size_t kept = unfinished_ ? unfinished_->message.size() : 0;
    if (length > options_.message_bytes_max - kept) return CloseCode::message_too_big;
    return std::nullopt;
}

std::uint64_t WebSocketParser::announced_length() const {
    const std::uint8_t form = byte(header_[1]) & length_bits;
    if (form == length_is_16_bit) return big_endian(header_.data() + 2, 2);
    if (form == length_is_64_bit) return big_endian(header_.data() + 2, 8);
    return form;
}

void WebSocketParser::start_payload() {
    payload_left_ = static_cast<std::uint32_t>(announced_length());
    mask_phase_ = 0;
    in_payload_ = true;
    if (is_control()) return;
    if (opcode() != opcode_continuation) {
        message_type_ = opcode() == opcode_text ? FrameType::text : FrameType::binary;
        is_compressed_ = (byte(header_[0]) & compressed_bit) != 0;
        fragments_ = 0;
    }
    ++fragments_;
    in_message_ = !is_final();
}

std::span<char> WebSocketParser::take_payload(std::span<char>& input) {
    const std::span<char> payload = input.first(std::min<std::size_t>(input.size(), payload_left_));
    unmask(payload, header_.data() + header_size_ - mask_bytes, mask_phase_);
    mask_phase_ = static_cast<std::uint8_t>((mask_phase_ + payload.size()) % mask_bytes);
    payload_left_ -= static_cast<std::uint32_t>(payload.size());
    input = input.subspan(payload.size());
    return payload;
}

std::optional<WebSocketInput> WebSocketParser::finish_frame(std::string_view payload) {
    return is_control() ? finish_control(payload) : finish_data(payload);
}

std::optional<WebSocketInput> WebSocketParser::finish_control(std::string_view payload) {
    if (unfinished_ && !unfinished_->control.empty()) {
        keep(payload);
        control_delivered_ = true;
        payload = unfinished_->control;
    }
    if (opcode() == opcode_close) return finish_close(payload);
    if (opcode() == opcode_pong) {
        return WebSocketInput{WebSocketInput::Kind::pong, {FrameType::binary, payload}, 0};
    }
    if (++pings_ > pings_between_messages_max) return violate(CloseCode::policy_violation);
    return WebSocketInput{WebSocketInput::Kind::ping, {FrameType::binary, payload}, 0};
}

std::optional<WebSocketInput> WebSocketParser::finish_close(std::string_view payload) {
    auto code = static_cast<std::uint16_t>(CloseCode::no_status);
    if (!payload.empty()) {
        if (payload.size() < 2) return violate(CloseCode::protocol_error);
        code = static_cast<std::uint16_t>(big_endian(payload.data(), 2));
        if (!may_be_sent(code)) return violate(CloseCode::protocol_error);
        payload.remove_prefix(2);
        if (!utf8::is_valid(payload)) return violate(CloseCode::bad_text);
    }
    finished_ = true;
    return WebSocketInput{WebSocketInput::Kind::close, {FrameType::text, payload}, code};
}

std::optional<WebSocketInput> WebSocketParser::finish_data(std::string_view payload) {
    if (in_message_ || (unfinished_ && !unfinished_->message.empty())) {
        keep(payload);
        if (in_message_) return std::nullopt;
        message_delivered_ = true;
        payload = unfinished_ ? std::string_view(unfinished_->message) : std::string_view();
    }
    fragments_ = 0;
    pings_ = 0;
    if (is_compressed_) {
        return WebSocketInput{WebSocketInput::Kind::message, {message_type_, payload}, 0, true};
    }
    if (message_type_ == FrameType::text && !utf8::is_valid(payload)) {
        return violate(CloseCode::bad_text);
    }
    return WebSocketInput{WebSocketInput::Kind::message, {message_type_, payload}, 0};
}

WebSocketInput WebSocketParser::violate(CloseCode code) {
    finished_ = true;
    unfinished_.reset();
    return {WebSocketInput::Kind::violation, {}, static_cast<std::uint16_t>(code)};
}

void WebSocketParser::keep(std::string_view payload) {
    if (payload.empty()) return;
    if (!unfinished_) unfinished_ = std::make_unique<Unfinished>();
    (is_control() ? unfinished_->control : unfinished_->message).append(payload);
}

void WebSocketParser::forget_delivered() {
    if (!message_delivered_ && !control_delivered_) return;
    if (unfinished_) {
        if (message_delivered_) give_back(unfinished_->message);
        if (control_delivered_) give_back(unfinished_->control);
        if (unfinished_->message.empty() && unfinished_->control.empty()) unfinished_.reset();
    }
    message_delivered_ = false;
    control_delivered_ = false;
}

void append_message(std::string& out, FrameView message) {
    append_header(out, opcode_of(message.type), message.bytes.size());
    out += message.bytes;
}

void append_compressed_message(std::string& out, FrameView message) {
    append_header(out, opcode_of(message.type) | compressed_bit, message.bytes.size());
    out += message.bytes;
}

void append_pong(std::string& out, std::string_view payload) {
    // A payload is that of a ping; the parser refused what is longer.
    VERIFY(payload.size() <= control_payload_max);
    append_header(out, opcode_pong, payload.size());
    out += payload;
}

void append_close(std::string& out, std::uint16_t code) {
    if (code == static_cast<std::uint16_t>(CloseCode::no_status)) {
        append_header(out, opcode_close, 0);
        return;
    }
    append_header(out, opcode_close, 2);
    append_big_endian(out, code, 2);
}

}  // namespace oncewire::net
