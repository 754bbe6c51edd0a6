#include "shared/socketio/decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/utf8.hpp"
#include "shared/base/verify.hpp"
#include "shared/socketio/placeholders.hpp"

namespace oncewire::socketio {

namespace {

using Failure = std::optional<DecodeError>;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The text of a packet from left to right: type [count "-"] [namespace ","] [ack id] [data].
/// Every step takes its part off the front of what is left.
class Header {
  public:
    explicit Header(std::string_view text) : rest_(text) {}

    Failure read() {
        if (const Failure failure = read_type()) return failure;
        if (is_binary())
            if (const Failure failure = read_attachment_count()) return failure;
        if (const Failure failure = read_namespace()) return failure;
        if (const Failure failure = read_ack_id()) return failure;
        if (const Failure failure = read_data()) return failure;
        return finish();
    }

    Packet packet;
    std::uint32_t attachment_count = 0;

  private:
    bool is_binary() const {
        return packet.type == PacketType::binary_event || packet.type == PacketType::binary_ack;
    }
    bool is_event() const {
        return packet.type == PacketType::event || packet.type == PacketType::binary_event;
    }
    bool is_ack() const {
        return packet.type == PacketType::ack || packet.type == PacketType::binary_ack;
    }

    Failure read_type() {
        if (rest_.empty()) return DecodeError::empty;
        const int digit = rest_.front() - '0';
        if (digit < 0 || digit > static_cast<int>(PacketType::binary_ack))
            return DecodeError::unknown_type;
        packet.type = static_cast<PacketType>(digit);
        rest_.remove_prefix(1);
        return {};
    }

    Failure read_attachment_count() {
        const std::string_view digits = take_digits();
        if (digits.empty() || rest_.empty() || rest_.front() != '-')
            return DecodeError::bad_attachment_count;
        rest_.remove_prefix(1);
        for (const char digit : digits) {
            attachment_count = attachment_count * 10 + static_cast<std::uint32_t>(digit - '0');
            if (attachment_count > limits::attachments_per_packet)
                return DecodeError::too_many_attachments;
        }
        if (attachment_count == 0) return DecodeError::bad_attachment_count;
        return {};
    }

    Failure read_namespace() {
        if (rest_.empty() || rest_.front() != '/') return {};
        const std::size_t end = std::min(rest_.find(','), rest_.size());
        if (end > limits::namespace_bytes || !utf8::is_valid(rest_.substr(0, end)))
            return DecodeError::bad_namespace;
        packet.nsp = std::string(rest_.substr(0, end));
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return {};
    }

    /// Ids of other types than events and acks mean nothing; the reference ignores them, too.
    Failure read_ack_id() {
        const std::string_view digits = take_digits();
        if (digits.size() > limits::ack_id_digits) return DecodeError::bad_ack_id;
        AckId id = 0;
        for (const char digit : digits) id = id * 10 + static_cast<AckId>(digit - '0');
        if (id > static_cast<AckId>(limits::safe_integer)) return DecodeError::bad_ack_id;
        // The reference takes a space here for a digit, so it can never be space before the data.
        if (!rest_.empty() && is_space(rest_.front())) return DecodeError::bad_ack_id;
        if (!digits.empty() && (is_event() || is_ack())) packet.ack_id = id;
        if (is_ack() && !packet.ack_id) return DecodeError::bad_ack_id;
        return {};
    }

    Failure read_data() {
        if (rest_.empty()) return is_data_optional() ? Failure() : DecodeError::bad_json;
        if (!json::is_valid(rest_, limits::json_depth)) return DecodeError::bad_json;
        rest_ = json::trim(rest_);
        if (!has_right_shape()) return DecodeError::bad_payload;
        packet.data = std::string(rest_);
        return {};
    }

    bool is_data_optional() const {
        return packet.type == PacketType::connect || packet.type == PacketType::disconnect;
    }

    bool has_right_shape() const {
        const json::Kind kind = json::kind_of(rest_);
        switch (packet.type) {
            case PacketType::connect:
                return kind == json::Kind::object;
            case PacketType::disconnect:
                return false;
            case PacketType::event:
            case PacketType::binary_event:
                return has_event_name();
            case PacketType::ack:
            case PacketType::binary_ack:
                return kind == json::Kind::array;
            case PacketType::connect_error:
                return kind == json::Kind::object || kind == json::Kind::string;
        }
        VERIFY(false);  // there is a case for each
    }

    bool has_event_name() const {
        const auto name = json::first_element(rest_);
        if (!name) return false;
        const json::Kind kind = json::kind_of(*name);
        if (kind == json::Kind::number) return true;
        return kind == json::Kind::string && !is_reserved_event(*json::as_string(*name));
    }

    /// What the rest of the program need not know: binary types, and errors that are mere strings.
    Failure finish() {
        if (is_binary() && !are_placeholders_good(packet.data, attachment_count))
            return DecodeError::bad_placeholder;
        if (is_event()) packet.type = PacketType::event;
        if (is_ack()) packet.type = PacketType::ack;
        if (packet.type == PacketType::connect_error && packet.data.front() == '"')
            packet.data = "{\"message\":" + packet.data + "}";
        return {};
    }

    std::string_view take_digits() {
        std::size_t count = 0;
        while (count < rest_.size() && is_digit(rest_[count])) ++count;
        const std::string_view digits = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return digits;
    }

    std::string_view rest_;
};

}  // namespace

const char* error_text(DecodeError error) {
    switch (error) {
        case DecodeError::empty:
            return "empty packet";
        case DecodeError::unknown_type:
            return "unknown packet type";
        case DecodeError::bad_namespace:
            return "bad namespace";
        case DecodeError::bad_ack_id:
            return "bad ack id";
        case DecodeError::bad_attachment_count:
            return "bad attachment count";
        case DecodeError::too_many_attachments:
            return "too many attachments";
        case DecodeError::bad_json:
            return "bad JSON";
        case DecodeError::bad_payload:
            return "bad payload";
        case DecodeError::unexpected_binary:
            return "attachment without a packet";
        case DecodeError::unexpected_text:
            return "text where an attachment was due";
        case DecodeError::bad_placeholder:
            return "bad placeholder";
        case DecodeError::too_large:
            return "packet too large";
        case DecodeError::attachments_late:
            return "attachments late";
    }
    VERIFY(false);  // there is a case for each
}

Result<std::optional<Packet>, DecodeError> Decoder::decode(FrameView payload, Instant now,
                                                           std::uint32_t bytes_max) {
    if (payload.type == FrameType::text) return decode_text(payload.bytes, now, bytes_max);
    return decode_attachment(payload.bytes, now, bytes_max);
}

std::optional<Instant> Decoder::next_timeout() const {
    if (!collecting_) return std::nullopt;
    return collecting_->deadline;
}

Result<std::optional<Packet>, DecodeError> Decoder::decode_text(std::string_view text, Instant now,
                                                                std::uint32_t bytes_max) {
    if (collecting_) return Err{DecodeError::unexpected_text};
    if (text.size() > bytes_max) return Err{DecodeError::too_large};
    Header header(text);
    if (const Failure failure = header.read()) return Err{*failure};
    if (header.attachment_count == 0) return std::optional(std::move(header.packet));
    collecting_ = std::make_unique<Collecting>();
    collecting_->packet = std::move(header.packet);
    collecting_->expected = header.attachment_count;
    collecting_->bytes = text.size();
    collecting_->deadline = now + limits::attachments_timeout;
    return std::optional<Packet>();
}

Result<std::optional<Packet>, DecodeError> Decoder::decode_attachment(std::string_view bytes,
                                                                      Instant now,
                                                                      std::uint32_t bytes_max) {
    if (!collecting_) return Err{DecodeError::unexpected_binary};
    if (now >= collecting_->deadline) return Err{DecodeError::attachments_late};
    collecting_->bytes += bytes.size();
    if (collecting_->bytes > bytes_max) return Err{DecodeError::too_large};
    auto& attachments = collecting_->packet.attachments;
    attachments.emplace_back(bytes);
    if (attachments.size() < collecting_->expected) return std::optional<Packet>();
    const auto finished = std::move(collecting_);
    return std::optional(std::move(finished->packet));
}

}  // namespace oncewire::socketio
