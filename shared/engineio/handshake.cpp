#include "shared/engineio/handshake.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::engineio {

namespace {

constexpr std::size_t sid_bytes_max = 256;
constexpr std::int64_t day_millis = 24 * 60 * 60 * 1000;

std::optional<EngineSid> read_sid(std::string_view object) {
    const auto value = json::member(object, "sid");
    auto text = value ? json::as_string(*value) : std::nullopt;
    if (!text || text->empty() || text->size() > sid_bytes_max) return std::nullopt;
    return EngineSid(std::move(*text));
}

/// Whether "websocket" is among the upgrades; none if they are no array of strings.
std::optional<bool> read_upgrades(std::string_view object) {
    const auto value = json::member(object, "upgrades");
    if (!value || json::kind_of(*value) != json::Kind::array) return std::nullopt;
    bool has_websocket = false;
    for (const auto upgrade : json::elements(*value)) {
        if (json::kind_of(upgrade) != json::Kind::string) return std::nullopt;
        has_websocket = has_websocket || json::is_text(upgrade, "websocket");
    }
    return has_websocket;
}

std::optional<Millis> read_millis(std::string_view object, std::string_view key) {
    const auto value = json::member(object, key);
    const auto millis = value ? json::as_integer(*value) : std::nullopt;
    if (!millis || *millis < 1 || *millis > day_millis) return std::nullopt;
    return Millis(*millis);
}

std::optional<std::uint32_t> read_payload_max(std::string_view object) {
    const auto value = json::member(object, "maxPayload");
    if (!value) return Handshake{}.payload_bytes_max;
    const auto bytes = json::as_integer(*value);
    if (!bytes || *bytes < 1) return std::nullopt;
    constexpr std::int64_t largest = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min(*bytes, largest));
}

}  // namespace

std::string encode_handshake(const Handshake& handshake) {
    std::string text = R"({"sid":)";
    json::append_quoted(text, handshake.sid.text);
    text += R"(,"upgrades":)";
    text += handshake.websocket_upgrade ? R"(["websocket"])" : "[]";
    text += R"(,"pingInterval":)" + std::to_string(handshake.timings.ping_interval.count());
    text += R"(,"pingTimeout":)" + std::to_string(handshake.timings.ping_timeout.count());
    text += R"(,"maxPayload":)" + std::to_string(handshake.payload_bytes_max);
    text += '}';
    return text;
}

Result<Handshake, HandshakeError> decode_handshake(std::string_view json) {
    if (!json::is_valid(json, limits::json_depth) || json::kind_of(json) != json::Kind::object)
        return Err{HandshakeError::not_an_object};
    auto sid = read_sid(json);
    if (!sid) return Err{HandshakeError::bad_sid};
    const auto websocket = read_upgrades(json);
    if (!websocket) return Err{HandshakeError::bad_upgrades};
    const auto interval = read_millis(json, "pingInterval");
    const auto timeout = read_millis(json, "pingTimeout");
    if (!interval || !timeout) return Err{HandshakeError::bad_timings};
    const auto payload_max = read_payload_max(json);
    if (!payload_max) return Err{HandshakeError::bad_payload_max};
    return Handshake{std::move(*sid),
                     *websocket,
                     {*interval, *timeout},
                     *payload_max,
                     json::member(json, "maxPayload").has_value()};
}

}  // namespace oncewire::engineio
