#include "shared/engineio/packet.hpp"

#include <catch2/catch.hpp>

#include "shared/engineio/payload.hpp"
#include "tests/unit/support/vectors.hpp"

namespace engineio_packet_test {

using namespace oncewire;
using namespace oncewire::engineio;

namespace {

constexpr std::uint32_t packets_max = 1000;

const char* name_of(PacketType type) {
    constexpr const char* names[] = {"open", "close", "ping", "pong", "message", "upgrade", "noop"};
    return names[static_cast<int>(type)];
}

const char* name_of(PacketError error) {
    switch (error) {
        case PacketError::empty:
            return "empty";
        case PacketError::unknown_type:
            return "unknown_type";
        case PacketError::bad_base64:
            return "bad_base64";
        case PacketError::bad_utf8:
            return "bad_utf8";
        case PacketError::too_many_packets:
            return "too_many_packets";
    }
    return "?";
}

}  // namespace

TEST_CASE("each WebSocket message is the packet the vectors say, and is written back as it came") {
    for (const auto& vector : vectors::load("engineio_packets.json", "packets")) {
        const Frame frame = vectors::frame_of(vector["frame"]);
        CAPTURE(frame.bytes);
        const auto packet = decode_frame(frame);
        REQUIRE(bool(packet));
        CHECK(name_of(packet->type) == vector["type"].get<std::string>());
        CHECK(packet->payload == vectors::bytes_of(vector["payload"]));
        CHECK(packet->payload_type == frame.type);
        const Frame written = frame.type == FrameType::binary
                                  ? encode_binary(std::string(packet->payload))
                                  : encode_frame(packet->type, packet->payload);
        CHECK(written == frame);
    }
}

TEST_CASE("a WebSocket message that is no packet is refused with its reason") {
    for (const auto& vector : vectors::load("engineio_packets.json", "invalid")) {
        const Frame frame = vectors::frame_of(vector["frame"]);
        CAPTURE(frame.bytes);
        const auto packet = decode_frame(frame);
        REQUIRE_FALSE(bool(packet));
        CHECK(name_of(packet.error()) == vector["error"].get<std::string>());
    }
}

TEST_CASE("of the 256 first bytes of a text message exactly seven are packets") {
    int packets = 0;
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text(1, static_cast<char>(byte));
        packets += decode_frame({FrameType::text, text}) ? 1 : 0;
    }
    CHECK(packets == packet_type_count);
}

TEST_CASE("a polling body is the frames the vectors say, and is written back as it came") {
    for (const auto& vector : vectors::load("engineio_payloads.json", "bodies")) {
        const std::string body = vectors::bytes_of(vector["body"]);
        CAPTURE(body);
        const auto frames = decode_payload(body, packets_max);
        REQUIRE(bool(frames));
        CHECK(*frames == vectors::frames_of(vector["frames"]));
        if (!vector.contains("one_way")) CHECK(encode_payload(*frames) == body);
    }
}

TEST_CASE("one bad packet spoils the whole polling body") {
    for (const auto& vector : vectors::load("engineio_payloads.json", "invalid")) {
        const std::string body = vectors::bytes_of(vector["body"]);
        CAPTURE(vectors::excerpt(body));
        const auto frames = decode_payload(body, packets_max);
        REQUIRE_FALSE(bool(frames));
        CHECK(name_of(frames.error()) == vector["error"].get<std::string>());
    }
}

TEST_CASE("a polling body may hold exactly as many packets as allowed") {
    std::string body = "3";
    for (std::uint32_t count = 1; count < packets_max; ++count)
        body +=
            "\x1e"
            "3";
    const auto frames = decode_payload(body, packets_max);
    REQUIRE(bool(frames));
    CHECK(frames->size() == packets_max);
    CHECK_FALSE(bool(decode_payload(body + "\x1e"
                                           "3",
                                    packets_max)));
    CHECK_FALSE(bool(decode_payload("3", 0)));
}

}  // namespace engineio_packet_test
