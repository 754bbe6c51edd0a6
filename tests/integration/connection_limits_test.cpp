// How many connections there may be, in all and of one address.
#include "server/core/connection_limits.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

namespace connection_limits_test {

using oncewire::core::ConnectionLimits;
using oncewire::net::Seat;

TEST_CASE("one address has so many places, and gets them back when connections end") {
    ConnectionLimits limits({.in_all = 10, .of_one_address = 2});
    auto first = limits.take("192.0.2.1");
    auto second = limits.take("192.0.2.1");
    CHECK((first && second));
    CHECK_FALSE(limits.take("192.0.2.1"));
    CHECK(limits.take("192.0.2.2"));
    first->reset();
    CHECK(limits.take("192.0.2.1"));
    // Handed on, a place stays taken until the last holder lets go.
    const Seat held = *second;
    second->reset();
    auto again = limits.take("192.0.2.1");
    CHECK(again);
    CHECK_FALSE(limits.take("192.0.2.1"));
}

TEST_CASE("loopback is counted like every other address, in whatever spelling") {
    ConnectionLimits limits({.in_all = 10, .of_one_address = 2});
    const auto first = limits.take("127.0.0.1");
    const auto second = limits.take("::ffff:127.0.0.1");
    CHECK((first && second));
    CHECK_FALSE(limits.take("127.0.0.1"));
    CHECK(limits.take("::1"));
}

TEST_CASE("IPv6 is counted by /64, and by /48") {
    ConnectionLimits limits({.in_all = 100, .of_one_address = 2});
    std::vector<std::optional<Seat>> seats;
    for (const std::string subnet : {"1", "2", "3", "4"}) {
        for (const std::string host : {"1", "2:3:4"}) {
            seats.push_back(limits.take("2001:db8:1:" + subnet + "::" + host));
            CHECK(seats.back());
        }
        CHECK_FALSE(limits.take("2001:db8:1:" + subnet + "::7"));
    }
    CHECK_FALSE(limits.take("2001:db8:1:5::1"));
    CHECK(limits.take("2001:db8:2:5::1"));
    seats.pop_back();
    CHECK_FALSE(limits.take("2001:db8:1:3::1"));
    CHECK(limits.take("2001:db8:1:5::1"));
    seats.clear();
    for (int i = 0; i < 8; ++i) {
        seats.push_back(limits.take("2001:db8:1:" + std::to_string(i) + "::1"));
        CHECK(seats.back());  // nothing stayed counted
    }
}

TEST_CASE("a proxy's connection is nobody's; what comes by it is its clients'") {
    ConnectionLimits limits({.in_all = 3, .of_one_address = 2});
    const auto first = limits.take_for_proxy();
    const auto second = limits.take_for_proxy();
    CHECK((first && second));
    auto one = limits.take_by_proxy("192.0.2.1");
    const auto two = limits.take_by_proxy("192.0.2.1");
    CHECK((one && two));
    CHECK_FALSE(limits.take_by_proxy("192.0.2.1"));
    CHECK(limits.take_by_proxy("192.0.2.2"));
    one.reset();
    CHECK(limits.take("192.0.2.1"));
    const auto third = limits.take_for_proxy();
    CHECK(third);
    CHECK_FALSE(limits.take_for_proxy());
    CHECK_FALSE(limits.take("192.0.2.3"));
    CHECK(limits.take_by_proxy("192.0.2.3"));
}

TEST_CASE("without a limit for addresses only the house is full") {
    ConnectionLimits limits({.in_all = 5, .of_one_address = std::nullopt});
    std::vector<std::optional<Seat>> seats;
    for (int i = 0; i < 5; ++i) seats.push_back(limits.take("192.0.2.1"));
    for (const auto& seat : seats) CHECK(seat);
    CHECK_FALSE(limits.take("192.0.2.2"));
}

TEST_CASE("some places are kept back from sessions") {
    ConnectionLimits limits({.in_all = 32, .of_one_address = 100});
    std::vector<std::optional<Seat>> seats;
    for (int i = 0; i < 29; ++i) seats.push_back(limits.take("192.0.2.1"));
    CHECK(limits.has_room_for_session(true));
    seats.push_back(limits.take("192.0.2.1"));
    CHECK_FALSE(limits.has_room_for_session(true));
    CHECK(limits.has_room_for_session(false));
    for (int i = 0; i < 2; ++i) {
        seats.push_back(limits.take("192.0.2.1"));
        CHECK(seats.back());
        CHECK_FALSE(limits.has_room_for_session(false));
    }
    CHECK_FALSE(limits.take("192.0.2.2"));
}

TEST_CASE("places are taken and given back by several threads") {
    ConnectionLimits limits({.in_all = 8, .of_one_address = 4});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&limits, i] {
            for (int round = 0; round < 10'000; ++round) {
                const auto seat = limits.take(i % 2 == 0 ? "192.0.2.1" : "192.0.2.2");
            }
        });
    }
    for (auto& thread : threads) thread.join();
    std::vector<std::optional<Seat>> all;
    for (int i = 0; i < 4; ++i) all.push_back(limits.take("192.0.2.1"));
    for (int i = 0; i < 4; ++i) all.push_back(limits.take("192.0.2.2"));
    for (const auto& seat : all) CHECK(seat);
    CHECK_FALSE(limits.take("192.0.2.3"));
}

}  // namespace connection_limits_test
