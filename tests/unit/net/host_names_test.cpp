// Which names the server answers to, and which pages are its own.
#include "server/net/gate/engine_request.hpp"

#include <catch2/catch.hpp>

namespace host_names_test {

using namespace oncewire;

namespace {

net::EngineOptions called(std::vector<std::string> names) {
    net::EngineOptions options;
    options.names = std::move(names);
    return options;
}

net::HttpRequest asking(std::string host, net::HeaderList more = {}) {
    net::HttpRequest request{"GET", "/socket.io/?EIO=4&transport=polling", {{"Host", host}}, ""};
    request.headers.insert(request.headers.end(), more.begin(), more.end());
    return request;
}

bool answers(const std::string& host, std::vector<std::string> names = {}) {
    return net::is_host_allowed(asking(host), called(std::move(names)));
}

/// Whether a page of `origin` is the server's own, of a server that is called chat.example.
bool is_own(const std::string& host, const std::string& origin, net::Client client = {}) {
    net::HttpRequest request = asking(host, {{"Origin", origin}});
    request.client = std::move(client);
    return net::is_origin_allowed(request, called({"chat.example", "other.example:8443"}));
}

}  // namespace

TEST_CASE("names that no stranger can have are answered to, whatever the server is called") {
    for (const auto* name :
         {"localhost", "localhost:3000", "LOCALHOST", "a.localhost", "127.0.0.1", "127.0.0.1:3000",
          "[::1]", "[::1]:3000", "192.0.2.1", "[2001:db8::1]:80", "chat", "chat:3000", ""}) {
        CAPTURE(name);
        CHECK(answers(name));
    }
}

TEST_CASE("names of others are answered to only by a server that asks for no name") {
    for (const auto* name : {"evil.example", "evil.example:3000", "localhost.evil.example",
                             "127.0.0.1.evil.example", "127.1", "1.2.3.4.5", "localhost.", "[evil]",
                             "[evil.example]", "[::1", "::1", "[", "[]", ".", ":80"}) {
        CAPTURE(name);
        CHECK_FALSE(answers(name));
        CHECK(net::is_host_allowed(asking(name), {}));
    }
}

TEST_CASE("a name with a port is meant with that port alone") {
    CHECK(answers("chat.example", {"chat.example"}));
    CHECK(answers("Chat.Example:3000", {"chat.example"}));
    CHECK(answers("chat.example:8443", {"chat.example:8443"}));
    CHECK_FALSE(answers("chat.example:8444", {"chat.example:8443"}));
    CHECK_FALSE(answers("chat.example", {"chat.example:8443"}));
    CHECK_FALSE(answers("www.chat.example", {"chat.example"}));
}

TEST_CASE(
    "a page is the server's own under the name that was asked for, or under one it is called by") {
    CHECK(is_own("chat.example", "https://chat.example"));
    CHECK(is_own("chat.example:3000", "http://chat.example:3000"));
    CHECK(is_own("127.0.0.1:3000", "http://127.0.0.1:3000"));
    CHECK(is_own("127.0.0.1:3000", "https://chat.example"));
    CHECK(is_own("127.0.0.1:3000", "https://other.example:8443"));
    CHECK_FALSE(is_own("127.0.0.1:3000", "http://127.0.0.1"));
    CHECK_FALSE(is_own("127.0.0.1:3000", "http://localhost:3000"));
    CHECK_FALSE(is_own("127.0.0.1:3000", "https://other.example"));
    CHECK_FALSE(is_own("evil.example", "http://evil.example"));
    CHECK_FALSE(is_own("chat.example", "http://evil.example"));
}

TEST_CASE("where a proxy says which scheme and host it was asked for, those count") {
    const net::Client https{.secure = true}, http{.secure = false};
    CHECK(is_own("chat.example", "https://chat.example", https));
    CHECK_FALSE(is_own("chat.example", "http://chat.example", https));
    CHECK_FALSE(is_own("chat.example", "https://chat.example", http));
    CHECK(is_own("127.0.0.1:3000", "https://localhost:8080", {.host = "localhost:8080"}));
    CHECK_FALSE(is_own("127.0.0.1:3000", "https://evil.example", {.host = "evil.example"}));
    CHECK_FALSE(is_own("evil.example", "https://evil.example", {.host = "localhost"}));
}

}  // namespace host_names_test
