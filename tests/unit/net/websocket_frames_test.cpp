#include "server/net/gate/websocket_frames.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace websocket_frames_test {

using namespace oncewire;
using net::WebSocketInput;
using net::WebSocketParser;
using Kind = net::WebSocketInput::Kind;

namespace {

constexpr unsigned char text = 0x1, binary = 0x2, continuation = 0x0;
constexpr unsigned char close_frame = 0x8, ping = 0x9, pong = 0xa;
constexpr unsigned char final_bit = 0x80;

/// A masked client frame with its length in the shortest form.
std::string frame(unsigned char first_byte, std::string payload) {
    const std::string mask = "\x11\x92\x33\xd4";
    std::string out(1, static_cast<char>(first_byte));
    const std::uint64_t size = payload.size();
    if (size < 126) {
        out += static_cast<char>(0x80 | size);
    } else if (size <= 0xffff) {
        out += static_cast<char>(0xfe);
        for (int shift = 8; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
    } else {
        out += static_cast<char>(0xff);
        for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
    }
    out += mask;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
    return out;
}

std::string whole(unsigned char opcode, std::string payload = "") {
    return frame(final_bit | opcode, std::move(payload));
}

std::string close_payload(unsigned code, std::string reason = "") {
    std::string out;
    out += static_cast<char>(code >> 8);
    out += static_cast<char>(code & 0xff);
    return out + reason;
}

/// What was heard, one line each: easy to compare, easy to read in a failure.
std::string describe(const WebSocketInput& input) {
    const std::string bytes(input.message.bytes);
    switch (input.kind) {
        case Kind::message:
            return (input.message.type == FrameType::text ? "text:" : "binary:") + bytes;
        case Kind::ping:
            return "ping:" + bytes;
        case Kind::pong:
            return "pong:" + bytes;
        case Kind::close:
            return "close:" + std::to_string(input.code) + ":" + bytes;
        case Kind::violation:
            return "violation:" + std::to_string(input.code);
    }
    return "";
}

std::vector<std::string> hear(std::string bytes, std::size_t piece, WebSocketParser parser) {
    std::vector<std::string> heard;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        // Copied to a block of its own, so that a sanitizer sees any reach beyond the piece.
        std::string part = bytes.substr(at, piece);
        std::span<char> input(part);
        while (const auto next = parser.next(input)) heard.push_back(describe(*next));
        CHECK(input.empty());
    }
    return heard;
}

/// The same answer whole, byte by byte, and in odd pieces.
std::vector<std::string> hear(const std::string& bytes, WebSocketParser::Options options = {}) {
    const auto heard = hear(bytes, bytes.size(), WebSocketParser(options));
    CHECK(hear(bytes, 1, WebSocketParser(options)) == heard);
    CHECK(hear(bytes, 7, WebSocketParser(options)) == heard);
    return heard;
}

using Heard = std::vector<std::string>;

}  // namespace

TEST_CASE("messages of both types are unmasked") {
    CHECK(hear(whole(text, "hello")) == Heard{"text:hello"});
    CHECK(hear(whole(binary, std::string("\x00\xff\x7f", 3))) ==
          Heard{std::string("binary:\x00\xff\x7f", 10)});
    CHECK(hear(whole(text)) == Heard{"text:"});
}

TEST_CASE("payload lengths around each form of the length field survive") {
    for (std::size_t size : {1u, 7u, 8u, 9u, 125u, 126u, 127u, 65535u, 65536u, 70001u}) {
        std::string payload;
        for (std::size_t i = 0; i < size; ++i) payload += static_cast<char>('a' + i % 26);
        CAPTURE(size);
        CHECK(hear(whole(text, payload)) == Heard{"text:" + payload});
    }
}

TEST_CASE("several frames in one piece are heard in order") {
    CHECK(hear(whole(text, "one") + whole(ping, "p") + whole(binary, "two") + whole(pong)) ==
          Heard{"text:one", "ping:p", "binary:two", "pong:"});
}

TEST_CASE("fragments are joined, with control frames between them") {
    CHECK(hear(frame(text, "he") + whole(ping, "now") + frame(continuation, "") +
               frame(final_bit | continuation, "llo") + whole(text, "next")) ==
          Heard{"ping:now", "text:hello", "text:next"});
    CHECK(hear(frame(binary, "") + frame(final_bit | continuation, "")) == Heard{"binary:"});
    CHECK(hear(frame(text, "") + frame(final_bit | continuation, "tail")) == Heard{"text:tail"});
}

TEST_CASE("a character cut by a fragment is whole again") {
    CHECK(hear(frame(text, "\xe3\x81") + frame(final_bit | continuation, "\xa6")) ==
          Heard{"text:\xe3\x81\xa6"});
}

TEST_CASE("what breaks the rules of framing is a protocol error") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"reserved bit 1", whole(0x40 | text, "x")},
        {"reserved bit 2", whole(0x20 | text, "x")},
        {"reserved bit 3", whole(0x10 | text, "x")},
        {"unmasked, empty", std::string("\x81\x00", 2)},
        {"unmasked", std::string("\x81\x01x", 3)},
        {"continuation of nothing", whole(continuation, "x")},
        {"new message inside a fragmented one", frame(text, "a") + whole(text, "b")},
        {"fragmented ping", frame(ping, "x")},
        {"ping of 126 bytes", whole(ping, std::string(126, 'x'))},
        {"close of one byte", whole(close_frame, "x")},
        {"length 125 in 16 bits", std::string("\x82\xfe\x00\x7d", 4) + std::string(129, 'x')},
        {"length 65535 in 64 bits",
         std::string("\x82\xff\0\0\0\0\0\0\xff\xff", 10) + std::string(4, 'x')},
    };
    for (const auto& [name, bytes] : cases) {
        CAPTURE(name);
        CHECK(hear(bytes) == Heard{"violation:1002"});
    }
    for (unsigned char opcode = 3; opcode < 16; ++opcode) {
        if (opcode >= 8 && opcode <= 10) continue;
        CAPTURE(static_cast<int>(opcode));
        CHECK(hear(whole(opcode, "x")) == Heard{"violation:1002"});
    }
}

TEST_CASE("a close frame may carry only the codes that belong on the wire") {
    for (unsigned code : {1000u, 1001u, 1003u, 1007u, 1011u, 1014u, 3000u, 4999u}) {
        CHECK(hear(whole(close_frame, close_payload(code, "bye"))) ==
              Heard{"close:" + std::to_string(code) + ":bye"});
    }
    for (unsigned code : {0u, 999u, 1004u, 1005u, 1006u, 1015u, 2999u, 5000u, 65535u}) {
        CAPTURE(code);
        CHECK(hear(whole(close_frame, close_payload(code))) == Heard{"violation:1002"});
    }
    CHECK(hear(whole(close_frame)) == Heard{"close:1005:"});
    CHECK(hear(whole(close_frame, close_payload(1000, "\xff"))) == Heard{"violation:1007"});
}

TEST_CASE("nothing is heard after a close frame or a violation") {
    CHECK(hear(whole(close_frame) + whole(text, "more")) == Heard{"close:1005:"});
    CHECK(hear(whole(3) + whole(text, "more")) == Heard{"violation:1002"});
}

TEST_CASE("text that is not UTF-8 is refused, also when cut at the end") {
    for (const std::string bad :
         {"\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "ok\xe2\x82"}) {
        CHECK(hear(whole(text, bad)) == Heard{"violation:1007"});
        CHECK(hear(frame(text, bad) + whole(continuation)) == Heard{"violation:1007"});
        CHECK(hear(whole(binary, bad)) == Heard{"binary:" + bad});
    }
}

TEST_CASE("the size limit is judged on the announced length, before any payload") {
    const WebSocketParser::Options ten{.message_bytes_max = 10};
    CHECK(hear(whole(text, "0123456789"), ten) == Heard{"text:0123456789"});
    CHECK(hear(whole(text, "0123456789a").substr(0, 6), ten) == Heard{"violation:1009"});
    CHECK(hear(frame(text, "01234") + frame(final_bit | continuation, "567890").substr(0, 6),
               ten) == Heard{"violation:1009"});
    CHECK(hear(frame(text, "01234") + whole(continuation, "56789"), ten) ==
          Heard{"text:0123456789"});
    const std::string huge("\x82\xff\x80\0\0\0\0\0\0\0mask", 14);
    CHECK(hear(huge) == Heard{"violation:1009"});
}

TEST_CASE("a message may have 1,024 fragments and no more, empty ones counted") {
    std::string fragments = frame(text, "");
    for (int i = 2; i < 1024; ++i) fragments += frame(continuation, "");
    CHECK(hear(fragments + whole(continuation, "x")) == Heard{"text:x"});
    CHECK(hear(fragments + frame(continuation, "") + frame(continuation, "")) ==
          Heard{"violation:1008"});
    // The count starts anew with each message.
    const std::string message = fragments + whole(continuation, "x");
    CHECK(hear(message + message) == Heard{"text:x", "text:x"});
}

TEST_CASE("a flood of pings is refused, pings between messages are not") {
    std::string pings;
    for (int i = 0; i < 64; ++i) pings += whole(ping);
    CHECK(hear(pings + whole(text, "x") + pings).size() == 129);
    CHECK(hear(pings + whole(ping)).back() == "violation:1008");
}

TEST_CASE("server frames are unmasked, final, and have the shortest length form") {
    const auto message = [](FrameType type, std::string bytes) {
        std::string out;
        net::append_message(out, FrameView(type, bytes));
        return out;
    };
    CHECK(message(FrameType::text, "hi") == "\x81\x02hi");
    CHECK(message(FrameType::binary, "") == std::string("\x82\x00", 2));
    CHECK(message(FrameType::text, std::string(125, 'x')).substr(0, 2) == "\x81\x7d");
    CHECK(message(FrameType::text, std::string(126, 'x')).substr(0, 4) ==
          std::string("\x81\x7e\x00\x7e", 4));
    CHECK(message(FrameType::text, std::string(65535, 'x')).substr(0, 4) == "\x81\x7e\xff\xff");
    CHECK(message(FrameType::text, std::string(65536, 'x')).substr(0, 10) ==
          std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST_CASE("server control frames carry their payload and code") {
    std::string out;
    net::append_pong(out, "abc");
    net::append_close(out, 1002);
    net::append_close(out, 1005);
    CHECK(out == std::string("\x8a\x03"
                             "abc"
                             "\x88\x02\x03\xea"
                             "\x88\x00",
                             11));
}

}  // namespace websocket_frames_test
