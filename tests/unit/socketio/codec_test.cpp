#include <catch2/catch.hpp>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/socketio/decoder.hpp"
#include "shared/socketio/encoder.hpp"
#include "tests/unit/support/vectors.hpp"

namespace socketio_codec_test {

using namespace oncewire;
using namespace oncewire::socketio;

namespace {

constexpr Instant start{};

PacketType type_of(const std::string& name) {
    if (name == "connect") return PacketType::connect;
    if (name == "disconnect") return PacketType::disconnect;
    if (name == "event") return PacketType::event;
    if (name == "ack") return PacketType::ack;
    CHECK(name == "connect_error");
    return PacketType::connect_error;
}

Packet packet_of(const nlohmann::json& vector) {
    Packet packet;
    packet.type = type_of(vector["type"]);
    if (vector.contains("nsp")) packet.nsp = vectors::bytes_of(vector["nsp"]);
    if (vector.contains("id")) packet.ack_id = vector["id"].get<AckId>();
    if (vector.contains("data")) packet.data = vectors::bytes_of(vector["data"]);
    if (vector.contains("attachments"))
        for (const auto& bytes : vector["attachments"])
            packet.attachments.push_back(vectors::bytes_of(bytes));
    return packet;
}

/// The vectors speak of Socket.IO packets; on the wire each text has Engine.IO's digit in front.
std::vector<Frame> as_messages(std::vector<Frame> frames) {
    for (Frame& frame : frames)
        if (frame.type == FrameType::text) frame.bytes.insert(0, "4");
    return frames;
}

/// Feeds all frames but the last, which must leave the decoder waiting, and returns what the last gives.
Result<std::optional<Packet>, DecodeError> feed(Decoder& decoder,
                                                const std::vector<Frame>& frames) {
    for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
        const auto result = decoder.decode(frames[i], start);
        CHECK(bool(result));
    }
    return decoder.decode(frames.back(), start);
}

std::string error_of(const std::string& text) {
    Decoder decoder;
    const auto result = decoder.decode({FrameType::text, text}, start);
    return result ? "none" : error_text(result.error());
}

std::string event_of_size(std::size_t bytes) {
    return "2[\"" + std::string(bytes - 5, 'x') + "\"]";
}

}  // namespace

TEST_CASE("frames become the packet the vectors say, and only with the last frame") {
    for (const auto& vector : vectors::load("socketio_packets.json", "packets")) {
        const auto frames = vectors::frames_of(vector["frames"]);
        CAPTURE(vectors::excerpt(frames.front().bytes));
        Decoder decoder;
        for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
            auto unfinished = decoder.decode(frames[i], start);
            REQUIRE(bool(unfinished));
            CHECK_FALSE(unfinished->has_value());
            CHECK(decoder.is_collecting());
        }
        auto result = decoder.decode(frames.back(), start);
        REQUIRE(bool(result));
        REQUIRE(result->has_value());
        CHECK(**result == packet_of(vector));
        CHECK_FALSE(decoder.is_collecting());
    }
}

TEST_CASE("packets become the frames the vectors say") {
    for (const auto& vector : vectors::load("socketio_packets.json", "packets")) {
        if (vector.contains("one_way")) continue;
        const auto frames = vectors::frames_of(vector["frames"]);
        CAPTURE(frames.front().bytes);
        CHECK(encode(packet_of(vector)) == as_messages(frames));
    }
}

TEST_CASE("every bad packet of the list is refused with its reason") {
    for (const auto& vector : vectors::load("socketio_rejections.json")) {
        const auto frames = vectors::frames_of(vector["frames"]);
        CAPTURE(vector.value("item", 0), vectors::excerpt(frames.front().bytes));
        Decoder decoder;
        const auto result = feed(decoder, frames);
        REQUIRE_FALSE(bool(result));
        CHECK(error_text(result.error()) == vector["error"].get<std::string>());
    }
}

TEST_CASE("every beginning of a packet is a packet or an error, never anything else") {
    const std::string text = R"(512-/chat,17["f",{"_placeholder":true,"num":1},"é\u00e9"])";
    for (std::size_t length = 0; length < text.size(); ++length) {
        CAPTURE(length);
        CHECK(error_of(text.substr(0, length)) != "none");
    }
}

TEST_CASE("broadcast events are put together from slices") {
    for (const auto& vector : vectors::load("socketio_packets.json", "broadcasts")) {
        const std::string nsp = vector["nsp"];
        const std::string data = vector["data"];
        const std::string extra = vector["extra"];
        const Frame frame = encode_event(nsp, data, extra);
        CHECK(frame == Frame{FrameType::text, vector["frame"].get<std::string>()});
        Decoder decoder;
        const auto packet =
            decoder.decode({FrameType::text, std::string_view(frame.bytes).substr(1)}, start);
        REQUIRE(bool(packet));
        CHECK((*packet)->nsp == nsp);
    }
}

TEST_CASE("a broadcast event takes no more memory than it needs") {
    const std::string data = "[\"" + std::string(1000, 'x') + "\"]";
    const Frame frame = encode_event("/chat", data, "\"7.12\"");
    CHECK(frame.bytes.capacity() < frame.bytes.size() + 32);
}

TEST_CASE("an idle decoder is one pointer") { CHECK(sizeof(Decoder) == sizeof(void*)); }

TEST_CASE("a packet may have exactly the largest size, in one text or with its attachments") {
    CHECK(error_of(event_of_size(limits::message_bytes)) == "none");
    CHECK(error_of(event_of_size(limits::message_bytes + 1)) == "packet too large");

    const std::string header = R"(52-["m"])";
    const std::string half((limits::message_bytes - header.size()) / 2, 'x');
    Decoder decoder;
    auto result = feed(
        decoder, {{FrameType::text, header}, {FrameType::binary, half}, {FrameType::binary, half}});
    REQUIRE(bool(result));
    CHECK(result->has_value());
    auto too_much = feed(
        decoder,
        {{FrameType::text, header}, {FrameType::binary, half}, {FrameType::binary, half + "x"}});
    REQUIRE_FALSE(bool(too_much));
    CHECK(too_much.error() == DecodeError::too_large);
}

TEST_CASE("data may nest exactly as deep as allowed") {
    const auto nested = [](std::uint32_t depth) {
        return "2[\"m\"," + std::string(depth - 1, '[') + std::string(depth, ']');
    };
    CHECK(error_of(nested(limits::json_depth)) == "none");
    CHECK(error_of(nested(limits::json_depth + 1)) == "bad JSON");
    const auto placed = [](std::uint32_t depth) {
        return "51-[\"m\"," + std::string(depth - 2, '[') + R"({"_placeholder":true,"num":0})" +
               std::string(depth - 1, ']');
    };
    CHECK(error_of(placed(limits::json_depth)) == "none");
    CHECK(error_of(placed(limits::json_depth + 1)) == "bad JSON");
}

TEST_CASE("a namespace name may have exactly the largest size") {
    const std::string name = "/" + std::string(limits::namespace_bytes - 1, 'x');
    CHECK(error_of("0" + name) == "none");
    CHECK(error_of("2" + name + ",[\"m\"]") == "none");
    CHECK(error_of("0" + name + "x") == "bad namespace");
}

TEST_CASE("attachments must all arrive before the deadline") {
    const Frame header{FrameType::text, R"(52-["m"])"};
    const Frame bytes{FrameType::binary, "x"};
    const Instant deadline = start + limits::attachments_timeout;
    Decoder decoder;
    CHECK_FALSE(decoder.next_timeout().has_value());
    CHECK(bool(decoder.decode(header, start)));
    CHECK(decoder.next_timeout() == deadline);
    CHECK(bool(decoder.decode(bytes, deadline - Millis(1))));
    CHECK(decoder.next_timeout() == deadline);  // the first attachment buys the second no time
    const auto late = decoder.decode(bytes, deadline);
    REQUIRE_FALSE(bool(late));
    CHECK(late.error() == DecodeError::attachments_late);
}

TEST_CASE("a finished packet leaves no deadline and the next one starts afresh") {
    Decoder decoder;
    for (int round = 0; round < 3; ++round) {
        auto result = feed(decoder, {{FrameType::text, R"(51-["m"])"}, {FrameType::binary, "x"}});
        REQUIRE(bool(result));
        REQUIRE(result->has_value());
        CHECK((*result)->attachments == std::vector<std::string>{"x"});
        CHECK_FALSE(decoder.next_timeout().has_value());
    }
}

TEST_CASE("big but legal packets pass: many keys, many placeholders, a long name") {
    std::string keys = "2[\"m\",{\"__proto__\":0";
    for (int i = 0; i < 80'000; ++i) keys += ",\"" + std::to_string(i) + "\":0";
    CHECK(error_of(keys + "}]") == "none");
    std::string placeholders = "51-[\"m\"";
    for (int i = 0; i < 30'000; ++i) placeholders += R"(,{"_placeholder":true,"num":0})";
    CHECK(error_of(placeholders + "]") == "none");
    CHECK(error_of("2[\"" + std::string(900'000, 'x') + "\"]") == "none");
}

TEST_CASE("the names that applications may not emit are the six of the reference") {
    for (const std::string_view name : {"connect", "connect_error", "disconnect", "disconnecting",
                                        "newListener", "removeListener"})
        CHECK(is_reserved_event(name));
    for (const std::string_view name :
         {"", "error", "connection", "Connect", "connect ", "message"})
        CHECK_FALSE(is_reserved_event(name));
}

}  // namespace socketio_codec_test
