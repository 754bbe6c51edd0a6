// permessage-deflate: what is agreed to, that messages survive it, and that no bomb goes off.
#include "server/net/zip/message_deflate.hpp"

#include <catch2/catch.hpp>

#include "shared/base/prng.hpp"

namespace message_deflate_test {

using namespace oncewire;
using net::CloseCode;

namespace {

constexpr std::uint32_t limit = 1'000'000;

std::string deflated(std::string_view message) {
    net::MessageDeflater deflater;
    return std::string(deflater.deflate(message));
}

std::string noise(std::size_t size) {
    Prng prng{7};
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(prng.next());
    return bytes;
}

}  // namespace

TEST_CASE("an offer of permessage-deflate is taken only if all it says is known and valid") {
    for (const char* offer :
         {"permessage-deflate", "permessage-deflate; client_max_window_bits",
          "Permessage-Deflate;client_max_window_bits=9; server_no_context_takeover",
          "permessage-deflate; server_max_window_bits=15", "x-other, permessage-deflate",
          "permessage-deflate; server_max_window_bits=10, permessage-deflate",
          "permessage-deflate; client_max_window_bits=\"12\""}) {
        CAPTURE(offer);
        CHECK(net::offers_deflate(offer));
    }
    // Bad input 50: windows that do not exist, duplicates, names of things that objects have.
    for (const char* offer :
         {"", ",", ";", "constructor", "deflate", "permessage-deflate; constructor",
          "permessage-deflate; server_max_window_bits=8",
          "permessage-deflate; client_max_window_bits=7",
          "permessage-deflate; client_max_window_bits=16",
          "permessage-deflate; client_max_window_bits=",
          "permessage-deflate; client_max_window_bits=015",
          "permessage-deflate; client_max_window_bits; client_max_window_bits",
          "permessage-deflate; server_no_context_takeover=1",
          "permessage-deflate; server_no_context_takeover; server_no_context_takeover"}) {
        CAPTURE(offer);
        CHECK_FALSE(net::offers_deflate(offer));
    }
}

TEST_CASE("messages of any size and kind survive compression, each on its own") {
    net::MessageDeflater deflater;
    net::MessageInflater inflater(limit);
    for (const std::string& message :
         {std::string(), std::string("a"), std::string(5000, 'x'), noise(3), noise(70'000),
          std::string("hello"), noise(limit)}) {
        const auto back = inflater.inflate(deflater.deflate(message));
        REQUIRE(back);
        CHECK(*back == message);
    }
    // [RFC7692 7.2.3.1] The example of the specification.
    const auto hello = inflater.inflate(std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
    REQUIRE(hello);
    CHECK(*hello == "Hello");
}

TEST_CASE("bad input 50: a bomb is stopped at the limit, and before by its ratio") {
    net::MessageInflater inflater(limit);
    const auto bomb = inflater.inflate(deflated(std::string(900'000, '\0')));
    REQUIRE_FALSE(bomb);
    CHECK(bomb.error() == CloseCode::message_too_big);

    net::MessageInflater small(1000);
    CHECK(small.inflate(deflated(noise(1000))));
    const auto large = small.inflate(deflated(noise(1001)));
    REQUIRE_FALSE(large);
    CHECK(large.error() == CloseCode::message_too_big);
    CHECK(*small.inflate(deflated("still in use")) == "still in use");
}

TEST_CASE("bad input 50: what is no compressed message is refused, cut ones too") {
    net::MessageInflater inflater(limit);
    const std::string whole = deflated("a message that is long enough to be cut somewhere");
    for (const std::string& payload : {std::string("\x07"), std::string("hello"), noise(100),
                                       whole.substr(0, whole.size() / 2)}) {
        const auto outcome = inflater.inflate(payload);
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error() == CloseCode::bad_text);
    }
    CHECK(*inflater.inflate(whole) == "a message that is long enough to be cut somewhere");
}

TEST_CASE(
    "only the first frame of a message may say that it is compressed, where that was agreed on") {
    const auto heard = [](bool deflate, std::initializer_list<std::pair<int, std::string>> frames) {
        std::string bytes;
        for (const auto& [first, payload] : frames) {
            bytes += static_cast<char>(first);
            bytes += static_cast<char>(0x80 | payload.size());
            bytes += std::string(4, '\0') + payload;
        }
        net::WebSocketParser parser({.message_bytes_max = limit, .deflate = deflate});
        std::span<char> input(bytes);
        const auto said = parser.next(input);
        REQUIRE(said);
        const bool is_message = said->kind == net::WebSocketInput::Kind::message;
        return is_message ? (said->is_compressed ? "compressed" : "plain") : "violation";
    };
    CHECK(heard(true, {{0xc1, "x"}}) == std::string("compressed"));
    CHECK(heard(true, {{0x81, "x"}}) == std::string("plain"));
    CHECK(heard(true, {{0x41, "x"}, {0x80, "y"}}) == std::string("compressed"));
    CHECK(heard(true, {{0x01, "x"}, {0xc0, "y"}}) == std::string("violation"));
    CHECK(heard(true, {{0xc9, ""}}) == std::string("violation"));
    CHECK(heard(true, {{0xe1, "x"}}) == std::string("violation"));
    CHECK(heard(false, {{0xc1, "x"}}) == std::string("violation"));
}

}  // namespace message_deflate_test
