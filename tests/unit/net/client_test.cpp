// Who sent a request: what of TCP and of a proxy's headers is believed.
#include "server/net/gate/client.hpp"

#include <catch2/catch.hpp>

namespace client_test {

using namespace oncewire;
using Headers = std::vector<std::pair<std::string, std::string>>;

namespace {

std::vector<net::IpBlock> blocks(std::initializer_list<const char*> texts) {
    std::vector<net::IpBlock> all;
    for (const auto* text : texts) all.push_back(*net::IpBlock::parse(text));
    return all;
}
const auto trusted = blocks({"127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48"});

net::Client client(const Headers& headers, std::string_view peer = "127.0.0.1") {
    return net::client_of(peer, headers, trusted);
}
std::string address(const char* forwarded_for, std::string_view peer = "127.0.0.1") {
    return client({{"X-Forwarded-For", forwarded_for}}, peer).address;
}
std::string forwarded(const char* value) { return client({{"Forwarded", value}}).address; }

}  // namespace

TEST_CASE("what a header claims is believed of nobody but a trusted proxy", "[client]") {
    const Headers headers = {{"X-Forwarded-For", "192.0.2.1"},
                             {"Forwarded", "for=192.0.2.2"},
                             {"X-Forwarded-Proto", "https"},
                             {"X-Forwarded-Host", "chat.example"},
                             {"X-Forwarded-Prefix", "/chat"}};
    for (const auto* peer : {"127.0.0.2", "::1", "198.51.100.1", "2001:db8::1", "no address"}) {
        const auto seen = client(headers, peer);
        CHECK(seen.address == peer);
        CHECK_FALSE(seen.secure);
        CHECK_FALSE(seen.host);
        CHECK(seen.prefix == "");
    }
    const auto seen = client(headers);
    CHECK(seen.address == "192.0.2.1");
    CHECK(seen.secure == true);
    CHECK(seen.host == "chat.example");
    CHECK(seen.prefix == "/chat");
    CHECK(net::client_of("127.0.0.1", headers, {}).address == "127.0.0.1");
    CHECK(client(headers, "::ffff:127.0.0.1").address == "192.0.2.1");
    CHECK(client({}, "::ffff:192.0.2.1").address == "192.0.2.1");
}

TEST_CASE("X-Forwarded-For is read from the right, past proxies that are trusted", "[client]") {
    CHECK(address("6.6.6.6, 192.0.2.1") == "192.0.2.1");
    CHECK(address("6.6.6.6, 192.0.2.1, 10.0.0.1, 10.0.0.2") == "192.0.2.1");
    CHECK(address("10.0.0.1, 10.0.0.2") == "10.0.0.1");
    CHECK(client({{"X-Forwarded-For", "6.6.6.6"},
                  {"Host", "x"},
                  {"x-forwarded-for", "192.0.2.1, 10.0.0.1"}})
              .address == "192.0.2.1");
    CHECK(address("192.0.2.1:4711") == "192.0.2.1");
    CHECK(address("2001:db8::1") == "2001:db8::1");
    CHECK(address("[2001:db8::1]") == "2001:db8::1");
    CHECK(address("[2001:db8::1]:4711") == "2001:db8::1");
    CHECK(address("192.0.2.1, 2001:db8:ffff::5") == "192.0.2.1");
    CHECK(address("192.0.2.1", "2001:db8:ffff::5") == "192.0.2.1");
}

TEST_CASE("what is no address ends the walk: the last one known is the client", "[client]") {
    for (const auto* nobody :
         {"", ",", "unknown", "192.0.2.1, unknown", "192.0.2.1, _hidden", "192.0.2.1, 1.2.3.4.5",
          "[", "]", "[]", "[::1", ":", "192.0.2.1, [", "\""}) {
        CAPTURE(nobody);
        CHECK(address(nobody) == "127.0.0.1");
    }
    CHECK(address("192.0.2.1, unknown, 10.0.0.1") == "10.0.0.1");
    CHECK(address("192.0.2.1,") == "192.0.2.1");  // an empty element is none
}

TEST_CASE("Forwarded says the same in its way [RFC7239]", "[client]") {
    CHECK(forwarded("for=192.0.2.1") == "192.0.2.1");
    CHECK(forwarded("For=192.0.2.1;Proto=https;by=203.0.113.43") == "192.0.2.1");
    CHECK(forwarded("for=6.6.6.6, for=192.0.2.1, for=10.0.0.1") == "192.0.2.1");
    CHECK(forwarded("for=\"[2001:db8:cafe::17]:4711\"") == "2001:db8:cafe::17");
    CHECK(forwarded("proto=http ; for=\"192.0.2.1:80\" , proto=https;for=10.0.0.1") == "192.0.2.1");
    CHECK(forwarded("for=\"192.0.2.\\1\"") == "192.0.2.1");
    for (const auto* malformed :
         {"", "for", "for=\"192.0.2.1", "for=\"192.0.2.1\\", "for=\"192.0.2.1\"x", "192.0.2.1",
          "for=192.0.2.1, x", "for=unknown", "for=_x", ";;", ",,", "="}) {
        CAPTURE(malformed);
        CHECK(forwarded(malformed) == "127.0.0.1");
    }
    const auto seen =
        client({{"Forwarded",
                 "for=6.6.6.6;proto=http;host=evil.example,"
                 "for=192.0.2.1;proto=https;host=\"chat.example:8443\",for=10.0.0.1;proto=http"}});
    CHECK(seen.secure == true);
    CHECK(seen.host == "chat.example:8443");
}

TEST_CASE("a proxy that writes X-Forwarded-For is not fooled by its client's Forwarded",
          "[client]") {
    CHECK(client({{"Forwarded", "for=6.6.6.6;proto=https"}, {"X-Forwarded-For", "192.0.2.1"}})
              .address == "192.0.2.1");
}

TEST_CASE("scheme, host and prefix count by their last value", "[client]") {
    const auto seen = client({{"X-Forwarded-Proto", "https, http"},
                              {"X-Forwarded-Host", "evil.example, chat.example"},
                              {"X-Forwarded-Prefix", "/chat/"}});
    CHECK(seen.secure == false);
    CHECK(seen.host == "chat.example");
    CHECK(seen.prefix == "/chat");
    for (const auto* unknown : {"", "ftp", "https://", "on"}) {
        CHECK_FALSE(client({{"X-Forwarded-Proto", unknown}}).secure);
    }
    for (const auto* no_prefix : {"", "/", "chat", "//evil.example", "/a//b", "/a?b", "/a b",
                                  "/../a", "/a\"", "https://evil.example"}) {
        CAPTURE(no_prefix);
        CHECK(client({{"X-Forwarded-Prefix", no_prefix}}).prefix == "");
    }
}

TEST_CASE("a prefix is taken off what lies below it", "[client]") {
    CHECK(net::without_prefix("/chat/socket.io/?EIO=4", "/chat") == "/socket.io/?EIO=4");
    CHECK(net::without_prefix("/chat/", "/chat") == "/");
    CHECK(net::without_prefix("/chat", "/chat") == "/chat");
    CHECK(net::without_prefix("/chat?x", "/chat") == "/chat?x");
    CHECK(net::without_prefix("/chatter/", "/chat") == "/chatter/");
    CHECK(net::without_prefix("/socket.io/", "/chat") == "/socket.io/");
    CHECK(net::without_prefix("/chat/", "") == "/chat/");
}

}  // namespace client_test
