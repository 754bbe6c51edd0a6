#include "shared/engineio/handshake.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/support/vectors.hpp"

namespace engineio_handshake_test {

using namespace oncewire;
using namespace oncewire::engineio;

namespace {

const char* name_of(HandshakeError error) {
    switch (error) {
        case HandshakeError::not_an_object:
            return "not_an_object";
        case HandshakeError::bad_sid:
            return "bad_sid";
        case HandshakeError::bad_upgrades:
            return "bad_upgrades";
        case HandshakeError::bad_timings:
            return "bad_timings";
        case HandshakeError::bad_payload_max:
            return "bad_payload_max";
    }
    return "?";
}

Handshake handshake_of(const nlohmann::json& vector) {
    return {EngineSid(vector["sid"].get<std::string>()),
            vector["websocket"].get<bool>(),
            {Millis(vector["interval"].get<int>()), Millis(vector["timeout"].get<int>())},
            vector["max"].get<std::uint32_t>(),
            nlohmann::json::parse(vector["json"].get<std::string>()).contains("maxPayload")};
}

}  // namespace

TEST_CASE("handshakes are read, and ours are written with the five keys in the usual order") {
    for (const auto& vector : vectors::load("engineio_handshakes.json", "handshakes")) {
        const std::string json = vector["json"];
        CAPTURE(json);
        const auto handshake = decode_handshake(json);
        REQUIRE(bool(handshake));
        CHECK(*handshake == handshake_of(vector));
        if (!vector.contains("one_way")) CHECK(encode_handshake(*handshake) == json);
    }
}

TEST_CASE("a handshake with a missing, mistyped or absurd value is refused") {
    for (const auto& vector : vectors::load("engineio_handshakes.json", "invalid")) {
        const std::string json = vectors::bytes_of(vector["json"]);
        CAPTURE(json);
        const auto handshake = decode_handshake(json);
        REQUIRE_FALSE(bool(handshake));
        CHECK(name_of(handshake.error()) == vector["error"].get<std::string>());
    }
}

TEST_CASE("a session id may be exactly 256 bytes long") {
    const Handshake handshake{EngineSid(std::string(256, 'x')), false, {}, 1};
    const auto read = decode_handshake(encode_handshake(handshake));
    REQUIRE(bool(read));
    CHECK(*read == handshake);
}

}  // namespace engineio_handshake_test
