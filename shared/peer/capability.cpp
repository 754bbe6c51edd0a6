#include "shared/peer/capability.hpp"

#include "shared/base/decimal.hpp"
#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::peer {
namespace {

constexpr std::string_view capability_key = "oncewire";
constexpr std::string_view event_prefix = "oncewire:";
/// What JavaScript can hold.
constexpr delivery::Sequence first_max = (std::uint64_t{1} << 53) - 1;

std::optional<std::uint64_t> member_number(std::string_view object, std::string_view key) {
    const auto value = json::member(object, key);
    if (!value) return std::nullopt;
    const auto number = json::as_integer(*value);
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

std::optional<std::string> member_string(std::string_view object, std::string_view key) {
    const auto value = json::member(object, key);
    return value ? json::as_string(*value) : std::nullopt;
}

/// The capability object of a CONNECT payload, if it speaks our version.
std::optional<std::string_view> find_capability(std::string_view connect_data) {
    if (connect_data.empty()) return std::nullopt;
    const auto object = json::member(connect_data, capability_key);
    if (!object || json::kind_of(*object) != json::Kind::object) return std::nullopt;
    if (member_number(*object, "version") != capability_version) return std::nullopt;
    return object;
}

std::optional<std::uint64_t> element_number(const std::vector<std::string_view>& elements,
                                            std::size_t index) {
    if (index >= elements.size()) return std::nullopt;
    const auto number = json::as_integer(elements[index]);
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

/// A message must be an event the application could have emitted: a named array.
bool is_event(std::string_view message) {
    if (json::kind_of(message) != json::Kind::array) return false;
    const auto elements = json::elements(message);
    return !elements.empty() && json::kind_of(elements[0]) == json::Kind::string;
}

std::optional<VerdictsEvent> decode_verdicts(const std::vector<std::string_view>& elements) {
    const auto first = element_number(elements, 1);
    if (!first || elements.size() != 3 || json::kind_of(elements[2]) != json::Kind::array) {
        return std::nullopt;
    }
    VerdictsEvent event{*first, {}};
    for (const auto item : json::elements(elements[2])) {
        if (json::kind_of(item) != json::Kind::array) return std::nullopt;
        const auto parts = json::elements(item);
        const auto kind = element_number(parts, 0);
        if (parts.size() != 2 || !kind || *kind > 1) return std::nullopt;
        event.verdicts.push_back({*kind == 0, parts[1]});
    }
    return event;
}

}  // namespace

std::string add_capability(std::string_view auth, const ClientCapability& capability) {
    std::string text = "{";
    text += json::members_text(auth);
    if (text.size() > 1) text += ',';
    text += R"("oncewire":{"version":)";
    append_decimal(text, capability_version);
    if (capability.answers) text += R"(,"answers":true)";
    if (capability.links) text += R"(,"links":true)";
    if (capability.renumbered) text += R"(,"renumbered":true)";
    text += R"(,"producer":)" + json::quoted(capability.producer.id.text);
    text += R"(,"secret":)" + json::quoted(capability.producer.secret.text);
    if (capability.position) text += R"(,"position":)" + json::quoted(format(*capability.position));
    text += R"(,"first":)";
    append_decimal(text, capability.first);
    return text + "}}";
}

std::optional<ClientCapability> find_client_capability(std::string_view connect_data) {
    const auto object = find_capability(connect_data);
    if (!object) return std::nullopt;
    const auto producer = member_string(*object, "producer");
    const auto secret = member_string(*object, "secret");
    if (!producer || !secret) return std::nullopt;
    if (!delivery::is_producer_token(*producer) || !delivery::is_producer_token(*secret)) {
        return std::nullopt;
    }
    ClientCapability capability{{ProducerId(*producer), ProducerSecret(*secret)},
                                std::nullopt,
                                json::member(*object, "answers") == "true",
                                json::member(*object, "links") == "true"};
    if (const auto position = member_string(*object, "position")) {
        capability.position = delivery::parse_position(*position);
    }
    const auto first = member_number(*object, "first").value_or(1);
    if (first >= 1 && first <= first_max) capability.first = first;
    capability.renumbered = json::member(*object, "renumbered") == "true";
    return capability;
}

std::string encode_connect_answer(std::string_view sid,
                                  const std::optional<ServerCapability>& capability) {
    std::string text = R"({"sid":)" + json::quoted(sid);
    if (capability) {
        text += R"(,"oncewire":{"version":)" + std::to_string(capability_version);
        text += R"(,"epoch":)" + std::to_string(capability->epoch);
        text += R"(,"last":)" + std::to_string(capability->seen.last);
        text += R"(,"digest":")" + delivery::format_digest(capability->seen.last_digest) + '"';
        text += R"(,"position":)" + json::quoted(format(capability->position));
        text += R"(,"window":)" + std::to_string(capability->window);
        text += R"(,"messageBytes":)" + std::to_string(capability->message_bytes_max);
        text += R"(,"durability":)" + json::quoted(capability->durability);
        if (capability->links) text += R"(,"links":true)";
        if (capability->renumbered) text += R"(,"renumbered":true)";
        text += '}';
    }
    return text + '}';
}

std::string encode_session_answer(std::string_view sid, std::string_view pid,
                                  std::string_view not_recovered) {
    std::string text = R"({"sid":)" + json::quoted(sid);
    if (!pid.empty()) text += R"(,"pid":)" + json::quoted(pid);
    if (!not_recovered.empty()) text += R"(,"notRecovered":)" + json::quoted(not_recovered);
    return text + '}';
}

std::optional<ServerCapability> find_server_capability(std::string_view connect_data) {
    const auto object = find_capability(connect_data);
    if (!object) return std::nullopt;
    const auto epoch = member_number(*object, "epoch");
    const auto last = member_number(*object, "last");
    const auto digest = delivery::parse_digest(member_string(*object, "digest").value_or(""));
    const auto position = delivery::parse_position(member_string(*object, "position").value_or(""));
    const auto window = member_number(*object, "window");
    const auto message_bytes = member_number(*object, "messageBytes");
    auto durability = member_string(*object, "durability");
    if (!epoch || !last || !digest || !position || !window || !message_bytes || !durability) {
        return std::nullopt;
    }
    if (*window < 1 || *window > limits::window_max || *message_bytes > UINT32_MAX)
        return std::nullopt;
    return ServerCapability{*epoch,
                            {*last, *digest},
                            *position,
                            static_cast<std::uint32_t>(*window),
                            static_cast<std::uint32_t>(*message_bytes),
                            std::move(*durability),
                            json::member(*object, "links") == "true",
                            json::member(*object, "renumbered") == "true"};
}

bool is_delivery_event(std::string_view event_name) { return event_name.starts_with(event_prefix); }

std::string encode(const SendEvent& event) {
    std::string text = R"(["oncewire:send",)";
    text.reserve(64 + event.message.size());
    append_decimal(text, event.sequence);
    text += ",\"";
    text += delivery::format_digest(event.digest);
    text += "\",";
    text += event.message;
    text += event.renumbered ? ",1]" : "]";
    return text;
}

std::string encode(const VerdictsEvent& event) {
    std::string text = R"(["oncewire:verdicts",)" + std::to_string(event.first) + ",[";
    for (const auto& verdict : event.verdicts) {
        if (text.back() != '[') text += ',';
        text += verdict.accepted ? "[0," : "[1,";
        text += verdict.body;
        text += ']';
    }
    return text + "]]";
}

std::string encode(const ExpectEvent& event) {
    return R"(["oncewire:expect",)" + std::to_string(event.sequence) + ']';
}

std::string encode(const ConflictEvent& event) {
    return R"(["oncewire:conflict",)" + std::to_string(event.sequence) + ',' +
           std::to_string(event.last) + ']';
}

std::string encode(const LaterEvent& event) {
    return R"(["oncewire:later",)" + std::to_string(event.after.count()) + ']';
}

std::string encode(const GapEvent& event) {
    return R"(["oncewire:gap",)" + std::to_string(event.from) + ',' + std::to_string(event.to) +
           ']';
}

std::string encode(const AskEvent& event) {
    std::string text = R"(["oncewire:ask",)" + std::to_string(event.number) + ',';
    return text.append(event.message) + ']';
}

std::string encode(const ReachedEvent& event) {
    return R"(["oncewire:reached",)" + std::to_string(event.offset) + ']';
}

std::string encode(const NoticedEvent& event) {
    const auto& [holes, repeated, late] = event.anomalies;
    std::string text = R"(["oncewire:noticed")";
    for (const auto count : {holes, repeated, late}) {
        text += ',';
        append_decimal(text, count);
    }
    text += ']';
    return text;
}

std::optional<SendEvent> decode_send(std::string_view data) {
    const auto elements = json::elements(data);
    const bool renumbered = elements.size() == 5 && elements[4] == "1";
    if (elements.size() != (renumbered ? 5 : 4) || json::as_string(elements[0]) != "oncewire:send")
        return std::nullopt;
    const auto sequence = element_number(elements, 1);
    const auto digest = delivery::parse_digest(json::as_string(elements[2]).value_or(""));
    if (!sequence || *sequence == 0 || !digest || !is_event(elements[3])) return std::nullopt;
    return SendEvent{*sequence, *digest, elements[3], renumbered};
}

std::optional<NoticedEvent> decode_noticed(std::string_view data) {
    const auto elements = json::elements(data);
    if (elements.size() != 4 || json::as_string(elements[0]) != "oncewire:noticed")
        return std::nullopt;
    std::uint32_t counts[3] = {};
    for (std::size_t i = 0; i < 3; ++i) {
        const auto count = element_number(elements, i + 1);
        if (!count || *count > UINT32_MAX) return std::nullopt;
        counts[i] = static_cast<std::uint32_t>(*count);
    }
    return NoticedEvent{{counts[0], counts[1], counts[2]}};
}

std::optional<ServerDeliveryEvent> decode_delivery_event(std::string_view data) {
    const auto elements = json::elements(data);
    if (elements.size() < 2) return std::nullopt;
    const auto name = json::as_string(elements[0]);
    const auto number = element_number(elements, 1);
    if (!name || !number) return std::nullopt;
    if (*name == "oncewire:verdicts") {
        auto verdicts = decode_verdicts(elements);
        if (!verdicts) return std::nullopt;
        return ServerDeliveryEvent(std::move(*verdicts));
    }
    if (*name == "oncewire:expect" && elements.size() == 2)
        return ServerDeliveryEvent(ExpectEvent{*number});
    if (*name == "oncewire:reached" && elements.size() == 2)
        return ServerDeliveryEvent(ReachedEvent{*number});
    if (*name == "oncewire:later" && elements.size() == 2) {
        return ServerDeliveryEvent(LaterEvent{Millis{static_cast<std::int64_t>(*number)}});
    }
    if (*name == "oncewire:ask" && elements.size() == 3 && is_event(elements[2])) {
        return ServerDeliveryEvent(AskEvent{*number, elements[2]});
    }
    const auto second = element_number(elements, 2);
    if (!second || elements.size() != 3) return std::nullopt;
    if (*name == "oncewire:conflict") return ServerDeliveryEvent(ConflictEvent{*number, *second});
    if (*name == "oncewire:gap") return ServerDeliveryEvent(GapEvent{*number, *second});
    return std::nullopt;
}

}  // namespace oncewire::peer
