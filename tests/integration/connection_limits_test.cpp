// How many connections there may be, in all and of one address.
#include "server/core/connection_limits.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("loopback is counted in all only") {
    ConnectionLimits limits({.in_all = 5, .of_one_address = 1});
    std::vector<std::optional<Seat>> seats;
    for (const char* address : {"127.0.0.1", "127.0.0.1", "::1", "::1", "::ffff:127.0.0.1"}) {
        seats.push_back(limits.take(address));
        CHECK(seats.back());
    }
    CHECK_FALSE(limits.take("192.0.2.1"));
    seats.pop_back();
    CHECK(limits.take("192.0.2.1"));
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
