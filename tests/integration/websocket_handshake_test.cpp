#include "server/net/websocket_handshake.hpp"

#include <catch2/catch.hpp>

namespace websocket_handshake_test {

using namespace oncewire;
using net::find_header;
using net::HttpRequest;

namespace {

HttpRequest handshake(net::HeaderList more = {}) {
    HttpRequest request{"GET", "/socket.io/", {}, ""};
    request.headers = {{"Host", "a"},
                       {"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Version", "13"},
                       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    request.headers.insert(request.headers.end(), more.begin(), more.end());
    return request;
}
HttpRequest without(HttpRequest request, std::string_view name) {
    std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
    return request;
}

}  // namespace

TEST_CASE("the accept key is the one of the specification") {
    const auto response = net::answer_handshake(handshake());
    CHECK(response.status == 101);
    CHECK(find_header(response.headers, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(find_header(response.headers, "Sec-WebSocket-Protocol") == "");
    CHECK(format_head(response, true, "Thu, 01 Jan 1970 00:00:00 GMT") ==
          "HTTP/1.1 101 Switching Protocols\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nUpgrade: "
          "websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST_CASE("compression is agreed to if it is wished for on both sides") {
    const net::HeaderList offer = {{"Sec-WebSocket-Extensions", "x-other"},
                                   {"Sec-WebSocket-Extensions", "permessage-deflate"}};
    CHECK(agrees_to_deflate(net::answer_handshake(handshake(offer), true)));
    CHECK_FALSE(agrees_to_deflate(net::answer_handshake(handshake(offer), false)));
    CHECK_FALSE(agrees_to_deflate(net::answer_handshake(handshake(), true)));
}

TEST_CASE("the first sub-protocol offered is taken") {
    const auto response = net::answer_handshake(handshake({{"Sec-WebSocket-Protocol", "a, b"}}));
    CHECK(find_header(response.headers, "Sec-WebSocket-Protocol") == "a");
}

TEST_CASE("a malformed WebSocket handshake is refused") {
    const auto status = [](const HttpRequest& request) {
        return net::answer_handshake(request).status;
    };
    CHECK(status(without(handshake(), "Sec-WebSocket-Key")) == 400);
    CHECK(status(without(handshake(), "Sec-WebSocket-Version")) == 400);
    for (const char* key : {"", "short", "dGhlIHNhbXBsZSBub25jZQ",
                            "dGhlIHNhbXBsZSBub25j!!==", "AAAAAAAAAAAAAAAAAAAAAAAA"}) {
        CAPTURE(key);
        auto request = without(handshake(), "Sec-WebSocket-Key");
        request.headers.emplace_back("Sec-WebSocket-Key", key);
        CHECK(status(request) == 400);
    }
    auto request = without(handshake(), "Sec-WebSocket-Version");
    request.headers.emplace_back("Sec-WebSocket-Version", "8");
    CHECK(find_header(net::answer_handshake(request).headers, "Sec-WebSocket-Version") == "13");
    request = without(handshake(), "Upgrade");
    request.headers.emplace_back("Upgrade", "h2c");
    CHECK(status(request) == 400);
}

}  // namespace websocket_handshake_test
