#include "server/net/engine_request.hpp"

#include <catch2/catch.hpp>

#include "server/net/websocket_handshake.hpp"

using namespace oncewire;
using net::find_header;
using net::EngineError;
using net::HttpRequest;

namespace {

HttpRequest upgrade(std::string query, net::HeaderList more = {}) {
    HttpRequest request{"GET", "/socket.io/?" + query, {}, ""};
    request.headers = {{"Host", "chat.example:3000"},
                       {"Upgrade", "websocket"},
                       {"Connection", "keep-alive, Upgrade"},
                       {"Sec-WebSocket-Version", "13"},
                       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    request.headers.insert(request.headers.end(), more.begin(), more.end());
    return request;
}
HttpRequest plain(std::string method, std::string query) {
    return {std::move(method), "/socket.io/?" + query, {{"Host", "chat.example:3000"}}, ""};
}
std::optional<EngineError> check(const HttpRequest& request) {
    return net::check_engine_request(request, {});
}
bool allowed(const std::string& origin, std::vector<std::string> origins = {}) {
    return net::is_origin_allowed(upgrade("", {{"Origin", origin}}),
                                  {.origins = std::move(origins)});
}
HttpRequest without(HttpRequest request, std::string_view name) {
    std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
    return request;
}

}  // namespace

TEST_CASE("a WebSocket handshake of revision 4 is let in") {
    CHECK(check(upgrade("EIO=4&transport=websocket")) == std::nullopt);
    CHECK(check(upgrade("t=%zz%ff&EIO=4&transport=websocket&x")) == std::nullopt);
    CHECK(check(upgrade("transport=polling&EIO=3&EIO=4&transport=websocket")) == std::nullopt);
    CHECK(check(upgrade("EIO=4&transport=websocket&sid=")) == std::nullopt);
}

TEST_CASE("engine requests are refused with the code the reference gives") {
    using enum EngineError;
    for (const char* transport : {"", "abc", "__proto__", "webtransport", "polling", "WebSocket"}) {
        CAPTURE(transport);
        CHECK(check(upgrade("EIO=4&transport=" + std::string(transport))) == unknown_transport);
    }
    CHECK(check(upgrade("EIO=4")) == unknown_transport);
    CHECK(check(upgrade("EIO=4&transport=websocket&sid=__proto__")) == unknown_sid);
    for (const char* method : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS"}) {
        CHECK(check(plain(method, "EIO=4&transport=websocket")) == bad_handshake_method);
    }
    CHECK(check(plain("GET", "EIO=4&transport=websocket")) == bad_request);
    for (const char* revision : {"", "3", "5", "4.0", "04", "abc"}) {
        CAPTURE(revision);
        CHECK(check(upgrade("transport=websocket&EIO=" + std::string(revision))) ==
              unsupported_version);
    }
    CHECK(check(upgrade("transport=websocket")) == unsupported_version);
    CHECK(check(upgrade("EIO=4&transport=websocket", {{"Origin", "http://evil.example"}})) ==
          forbidden);
}

TEST_CASE("only the exact origin of this server or a listed one may connect") {
    CHECK(allowed("http://chat.example:3000"));
    CHECK(allowed("https://chat.example:3000"));
    CHECK(net::is_origin_allowed(upgrade(""), {}));
    for (const char* origin :
         {"null", "", "http://chat.example", "http://chat.example:30000",
          "http://chat.example:3000/", "http://chat.example:3000.evil.example",
          "http://evil.chat.example:3000", "HTTP://chat.example:3000", "http://CHAT.example:3000",
          "ws://chat.example:3000", "http://chat.example.:3000", "chat.example:3000",
          "http://evil@chat.example:3000", "http://localhost:3000",
          "http://chat.example:3000, http://evil.example"}) {
        CAPTURE(origin);
        CHECK_FALSE(allowed(origin));
    }
    CHECK(allowed("https://site.example", {"https://site.example"}));
    CHECK_FALSE(allowed("https://site.example.evil", {"https://site.example"}));
    CHECK_FALSE(allowed("http://site.example", {"https://site.example"}));
    const auto twice = upgrade(
        "", {{"Origin", "http://chat.example:3000"}, {"Origin", "http://chat.example:3000"}});
    CHECK_FALSE(net::is_origin_allowed(twice, {}));
}

TEST_CASE("a refused request gets JSON, a refused upgrade the bare message") {
    const auto json = net::engine_error_response(EngineError::unknown_transport, false);
    CHECK(json.status == 400);
    CHECK(json.body == R"({"code":0,"message":"Transport unknown"})");
    CHECK(find_header(json.headers, "Content-Type") == "application/json");
    const auto bare = net::engine_error_response(EngineError::forbidden, true);
    CHECK(bare.status == 400);
    CHECK(bare.body == "Forbidden");
    CHECK(net::engine_error_response(EngineError::forbidden, false).status == 403);
    CHECK(net::engine_error_response(EngineError::unsupported_version, false).body ==
          R"({"code":5,"message":"Unsupported protocol version"})");
}

TEST_CASE("the accept key is the one of the specification") {
    const auto response = net::answer_handshake(upgrade(""));
    CHECK(response.status == 101);
    CHECK(find_header(response.headers, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(find_header(response.headers, "Sec-WebSocket-Protocol") == "");
    CHECK(format_head(response, true) ==
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST_CASE("the first sub-protocol offered is taken") {
    const auto response = net::answer_handshake(upgrade("", {{"Sec-WebSocket-Protocol", "a, b"}}));
    CHECK(find_header(response.headers, "Sec-WebSocket-Protocol") == "a");
}

TEST_CASE("a malformed WebSocket handshake is refused") {
    const auto status = [](const HttpRequest& request) {
        return net::answer_handshake(request).status;
    };
    CHECK(status(without(upgrade(""), "Sec-WebSocket-Key")) == 400);
    CHECK(status(without(upgrade(""), "Sec-WebSocket-Version")) == 400);
    for (const char* key : {"", "short", "dGhlIHNhbXBsZSBub25jZQ",
                            "dGhlIHNhbXBsZSBub25j!!==", "AAAAAAAAAAAAAAAAAAAAAAAA"}) {
        CAPTURE(key);
        auto request = without(upgrade(""), "Sec-WebSocket-Key");
        request.headers.emplace_back("Sec-WebSocket-Key", key);
        CHECK(status(request) == 400);
    }
    auto request = without(upgrade(""), "Sec-WebSocket-Version");
    request.headers.emplace_back("Sec-WebSocket-Version", "8");
    CHECK(find_header(net::answer_handshake(request).headers, "Sec-WebSocket-Version") == "13");
    request = without(upgrade(""), "Upgrade");
    request.headers.emplace_back("Upgrade", "h2c");
    CHECK(status(request) == 400);
}
