#include "server/net/gate/address.hpp"

#include <catch2/catch.hpp>

namespace address_test {

using namespace oncewire;
using net::IpAddress;
using net::IpBlock;

namespace {

/// As it comes back; empty: it is no address.
std::string again(std::string_view text) {
    const auto address = IpAddress::parse(text);
    return address ? address->text() : "";
}
bool contains(std::string_view block, std::string_view address) {
    return IpBlock::parse(block)->contains(*IpAddress::parse(address));
}

}  // namespace

TEST_CASE("an address is written in one way, whatever way it came", "[address]") {
    for (const auto* same : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1",
                             "1::", "2001:db8::1", "2001:db8:1:2:3:4:5:6", "fe80::1:0:0:1"}) {
        CHECK(again(same) == same);
    }
    CHECK(again("2001:0DB8:0000:0000:0000:0000:0000:0001") == "2001:db8::1");
    CHECK(again("1:0:0:2:0:0:0:3") == "1:0:0:2::3");
    CHECK(again("1:0:0:2:2:0:0:3") == "1::2:2:0:0:3");     // of two the first
    CHECK(again("1:2:3:0:5:6:7:8") == "1:2:3:0:5:6:7:8");  // one group alone is not left out
    CHECK(again("0:0:0:0:0:0:0:0") == "::");
    CHECK(again("::ffff:192.0.2.1") == "192.0.2.1");
    CHECK(again("::FFFF:c000:201") == "192.0.2.1");
    CHECK(again("64:ff9b::192.0.2.1") == "64:ff9b::c000:201");
    CHECK(again("fe80::1%eth0") == "fe80::1");
}

TEST_CASE("what is no address is none", "[address]") {
    for (const auto* not_one : {"",
                                ".",
                                ":",
                                ":::",
                                "1.2.3",
                                "1.2.3.4.5",
                                "1.2.3.256",
                                "1.2.3.-4",
                                "1.2.3.+4",
                                "01.2.3.4",
                                "1.2.3.4.",
                                ".1.2.3.4",
                                " 1.2.3.4",
                                "1.2.3.4 ",
                                "1.2.3.4:80",
                                "0x1.2.3.4",
                                "1234",
                                "1::2::3",
                                "1:2:3:4:5:6:7",
                                "1:2:3:4:5:6:7:8:9",
                                "1:2:3:4:5:6:7:8::",
                                "::1:2:3:4:5:6:7:8",
                                "12345::",
                                "g::",
                                ":1:2:3:4:5:6:7",
                                "1:2:3:4:5:6:7:",
                                "1.2.3.4::",
                                "[::1]",
                                "::1]",
                                "unix:",
                                "_hidden",
                                "unknown",
                                "::ffff:1.2.3.4.5",
                                "1:2:3:4:5:6:7:1.2.3.4"}) {
        CAPTURE(not_one);
        CHECK(again(not_one) == "");
    }
}

TEST_CASE("bytes of a packet are an address", "[address]") {
    CHECK(IpAddress::from_bytes(std::string_view("\xc0\x00\x02\x01", 4))->text() == "192.0.2.1");
    CHECK(IpAddress::from_bytes(std::string(15, '\0') + '\x01')->text() == "::1");
    CHECK_FALSE(IpAddress::from_bytes("12345"));
}

TEST_CASE("a block contains what its prefix says, and nothing of the other family", "[address]") {
    CHECK(contains("10.0.0.0/8", "10.255.0.1"));
    CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    CHECK(contains("10.1.2.3/8", "10.9.9.9"));
    CHECK(contains("127.0.0.1", "127.0.0.1"));
    CHECK(contains("127.0.0.1", "::ffff:127.0.0.1"));
    CHECK_FALSE(contains("127.0.0.1", "127.0.0.2"));
    CHECK(contains("2001:db8::/33", "2001:db8:7fff::1"));
    CHECK_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    CHECK(contains("0.0.0.0/0", "192.0.2.1"));
    CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    CHECK(contains("::/0", "2001:db8::1"));
    CHECK_FALSE(contains("::/0", "192.0.2.1"));
    for (const auto* not_one : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8",
                                "::/129", "::/0x1", "localhost"}) {
        CAPTURE(not_one);
        CHECK_FALSE(IpBlock::parse(not_one));
    }
    CHECK(IpBlock::parse("10.1.2.3/8")->text() == "10.0.0.0/8");
}

TEST_CASE("loopback is known in every spelling", "[address]") {
    for (const auto* loopback : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}) {
        CHECK(IpAddress::parse(loopback)->is_loopback());
    }
    for (const auto* other : {"128.0.0.1", "::2", "::", "1::1", "0.0.0.1"}) {
        CHECK_FALSE(IpAddress::parse(other)->is_loopback());
    }
}

TEST_CASE("IPv6 is counted by /64, and by /48; IPv4 by address", "[address]") {
    CHECK(net::network_of("192.0.2.1") == "192.0.2.1");
    CHECK(net::network_of("::ffff:192.0.2.1") == "192.0.2.1");
    CHECK(net::network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(net::network_of("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64");
    CHECK(net::network_of("::1") == "::/64");
    CHECK(net::site_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1::/48");
    CHECK(net::site_of("192.0.2.1") == "192.0.2.1");
    CHECK(net::network_of("") == "");
    CHECK(net::network_of("a peer without an address") == "a peer without an address");
}

}  // namespace address_test
