#include "server/net/gate/engine_request.hpp"

#include <catch2/catch.hpp>

namespace engine_request_test {

using namespace oncewire;
using net::EngineAction;
using net::EngineError;
using net::find_header;
using net::HttpRequest;
using net::SessionKind;

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
Result<EngineAction, EngineError> judge(const HttpRequest& request,
                                        SessionKind session = SessionKind::none) {
    return net::judge_engine_request(request, {}, session);
}
std::optional<EngineError> check(const HttpRequest& request,
                                 SessionKind session = SessionKind::none) {
    const auto action = judge(request, session);
    return action ? std::nullopt : std::optional(action.error());
}
bool allowed(const std::string& origin, std::vector<std::string> origins = {}) {
    return net::is_origin_allowed(upgrade("", {{"Origin", origin}}),
                                  {.origins = std::move(origins)});
}
}  // namespace

TEST_CASE("a WebSocket handshake of revision 4 is let in") {
    CHECK(check(upgrade("EIO=4&transport=websocket")) == std::nullopt);
    CHECK(check(upgrade("t=%zz%ff&EIO=4&transport=websocket&x")) == std::nullopt);
    CHECK(check(upgrade("transport=polling&EIO=3&EIO=4&transport=websocket")) == std::nullopt);
    CHECK(check(upgrade("EIO=4&transport=websocket&sid=")) == std::nullopt);
    CHECK(*judge(upgrade("EIO=4&transport=websocket")) == EngineAction::open_websocket);
}

TEST_CASE("a GET without a session opens one that polls") {
    CHECK(*judge(plain("GET", "EIO=4&transport=polling&t=abc")) == EngineAction::open_polling);
    CHECK(check(upgrade("EIO=4&transport=polling")) == EngineError::bad_request);
    CHECK(check(plain("POST", "EIO=4&transport=polling")) == EngineError::bad_handshake_method);
    CHECK(check(plain("GET", "EIO=3&transport=polling")) == EngineError::unsupported_version);
}

TEST_CASE("a request with a sid is judged by where its session stands") {
    using enum SessionKind;
    const auto get = plain("GET", "EIO=4&transport=polling&sid=x");
    const auto post = plain("POST", "EIO=4&transport=polling&sid=x");
    const auto socket = upgrade("EIO=4&transport=websocket&sid=x");
    CHECK(*judge(get, polling) == EngineAction::poll);
    CHECK(*judge(get, probing) == EngineAction::poll);
    CHECK(*judge(post, polling) == EngineAction::post);
    CHECK(*judge(socket, polling) == EngineAction::upgrade);
    CHECK(*judge(plain("DELETE", "EIO=4&transport=polling&sid=x"), polling) ==
          EngineAction::method_not_allowed);
    for (const auto* request : {&get, &post, &socket}) {
        CHECK(check(*request, unknown) == EngineError::unknown_sid);
    }
    CHECK(check(get, websocket) == EngineError::bad_request);
    CHECK(check(post, websocket) == EngineError::bad_request);
    // Whether a session takes one more WebSocket is its own affair.
    CHECK(*judge(socket, probing) == EngineAction::upgrade);
    CHECK(*judge(socket, websocket) == EngineAction::upgrade);
    CHECK(check(plain("GET", "EIO=4&transport=websocket&sid=x"), polling) ==
          EngineError::bad_request);
    CHECK(check(plain("GET", "EIO=3&transport=polling&sid=x"), polling) ==
          EngineError::bad_request);
}

TEST_CASE("pages of listed origins may read answers, others may not") {
    auto request = plain("GET", "EIO=4&transport=polling");
    request.headers.push_back({"Origin", "https://site.example"});
    const auto cors = [&](std::vector<std::string> origins) {
        net::HttpResponse response;
        net::add_cors_headers(response, request, {.origins = std::move(origins)});
        return response;
    };
    CHECK(cors({}).headers.empty());
    const auto listed = cors({"https://site.example"});
    CHECK(find_header(listed.headers, "Access-Control-Allow-Origin") == "https://site.example");
    CHECK(find_header(listed.headers, "Access-Control-Allow-Credentials") == "true");
    CHECK(find_header(listed.headers, "Vary") == "Origin");
    const auto other = cors({"https://other.example"});
    CHECK(find_header(other.headers, "Access-Control-Allow-Origin").empty());
    CHECK(find_header(other.headers, "Vary") == "Origin");
    const auto any = cors({"*"});
    CHECK(find_header(any.headers, "Access-Control-Allow-Origin") == "*");
    CHECK(find_header(any.headers, "Access-Control-Allow-Credentials").empty());

    request.method = "OPTIONS";
    request.headers.push_back({"Access-Control-Request-Method", "POST"});
    CHECK(*net::judge_engine_request(request, {.origins = {"*"}}, SessionKind::none) ==
          EngineAction::preflight);
    CHECK(check(request) == EngineError::bad_handshake_method);
}

TEST_CASE("engine requests are refused with the code the reference gives") {
    using enum EngineError;
    for (const char* transport : {"", "abc", "__proto__", "webtransport", "WebSocket"}) {
        CAPTURE(transport);
        CHECK(check(upgrade("EIO=4&transport=" + std::string(transport))) == unknown_transport);
    }
    CHECK(check(upgrade("EIO=4")) == unknown_transport);
    CHECK(check(upgrade("EIO=4&transport=websocket&sid=__proto__"), SessionKind::unknown) ==
          unknown_sid);
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
          "ws://chat.example", "wss://chat.example:3000.evil.example", "w://chat.example:3000",
          "https://chat.example:443", "http://chat.example.:3000", "chat.example:3000",
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

TEST_CASE(
    "elements of other sites' pages take no sessions, though browsers name no origin for them") {
    const auto is_allowed = [](const char* site, const char* use) {
        auto request = plain("GET", "EIO=4&transport=polling");
        request.headers.push_back({"Sec-Fetch-Site", site});
        if (*use) request.headers.push_back({"Sec-Fetch-Dest", use});
        return net::is_origin_allowed(request, {});
    };
    for (const char* use : {"image", "script", "iframe", "document", "style"}) {
        CHECK_FALSE(is_allowed("cross-site", use));
        CHECK(is_allowed("same-origin", use));
        CHECK(is_allowed("none", use));
    }
    for (const char* use : {"", "empty", "websocket"}) CHECK(is_allowed("cross-site", use));
}

TEST_CASE("an origin may be that of the WebSocket itself, as Starscream writes it") {
    CHECK(allowed("ws://chat.example:3000"));
    CHECK(allowed("wss://chat.example:3000"));
    CHECK(allowed("ws://site.example", {"http://site.example"}));
    CHECK(allowed("wss://site.example", {"https://site.example"}));
    CHECK_FALSE(allowed("ws://site.example", {"https://site.example"}));
    const auto allowed_at = [](const char* host, const char* origin) {
        return net::is_origin_allowed({"GET", "/", {{"Host", host}, {"Origin", origin}}, ""}, {});
    };
    // It always names the port in Host, and in Origin only if it is not the usual one.
    CHECK(allowed_at("chat.example:80", "ws://chat.example"));
    CHECK(allowed_at("chat.example:443", "wss://chat.example"));
    CHECK(allowed_at("chat.example", "wss://chat.example"));
    CHECK_FALSE(allowed_at("chat.example:443", "ws://chat.example"));
    CHECK_FALSE(allowed_at("chat.example:3000", "ws://chat.example"));
    CHECK_FALSE(allowed_at("chat.example:80", "ws://"));
    CHECK_FALSE(allowed_at("", "http://"));
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

TEST_CASE("only a stamp that promises to be one of its kind marks a request") {
    const auto mark_of = [](std::string query) {
        net::HttpRequest request;
        request.target = "/socket.io/?EIO=4&transport=polling&sid=s" + query;
        return std::string(net::request_mark(request));
    };
    CHECK(mark_of("&t=*k3f9a1xyz") == "*k3f9a1xyz");
    CHECK(mark_of("&t=1700000000").empty());  // the time in seconds, as some clients have it
    CHECK(mark_of("&t=OqK3xZ.1").empty());
    CHECK(mark_of("").empty());
    CHECK(mark_of("&t=*" + std::string(40, 'x')).empty());
}

}  // namespace engine_request_test
