#include "server/net/gate/unfinished_bytes.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <optional>

namespace unfinished_bytes_test {

using oncewire::net::UnfinishedBytes;
using Share = UnfinishedBytes::Share;

namespace {

auto whole() {
    return std::make_shared<UnfinishedBytes>(
        UnfinishedBytes::Options{.in_all = 100, .of_one_network = 60, .uncounted = 10});
}

}  // namespace

TEST_CASE("one network may leave so many bytes unfinished, and gets them back with each request") {
    const auto bytes = whole();
    std::optional<Share> first(std::in_place, bytes, "192.0.2.1");
    Share second(bytes, "192.0.2.1");
    CHECK(first->hold(30));
    CHECK(first->hold(50));
    CHECK(first->hold(50));
    CHECK(second.hold(30));
    CHECK_FALSE(second.hold(31));
    CHECK_FALSE(first->hold(51));
    first.reset();
    CHECK(second.hold(70));
    CHECK_FALSE(second.hold(71));
}

TEST_CASE("what is not held any more is free, and each core has its part") {
    const auto bytes = whole();
    Share first(bytes, "192.0.2.1"), second(bytes, "192.0.2.1");
    CHECK(first.hold(70));
    CHECK_FALSE(second.hold(11));
    CHECK(first.hold(20));
    CHECK(second.hold(60));
    CHECK(first.hold(0));
    const auto part = UnfinishedBytes::part_of({.in_all = 800, .of_one_network = 400}, 4, 10);
    CHECK(part.in_all == 200);
    CHECK(part.of_one_network == 100);
    const auto least = UnfinishedBytes::part_of({.in_all = 800, .of_one_network = 400}, 4, 1000);
    CHECK(least.in_all == 2000);
    CHECK(least.of_one_network == 2000);
}

TEST_CASE("all networks together have a bound, too") {
    const auto bytes = whole();
    Share first(bytes, "192.0.2.1"), second(bytes, "192.0.2.2"), third(bytes, "192.0.2.3");
    CHECK(first.hold(70));
    CHECK(second.hold(50));
    CHECK_FALSE(second.hold(51));
    CHECK_FALSE(third.hold(11));
}

TEST_CASE("the start of a body is never too much") {
    const auto bytes = whole();
    Share greedy(bytes, "192.0.2.1"), small(bytes, "192.0.2.1");
    CHECK(greedy.hold(70));
    CHECK(small.hold(10));
    CHECK_FALSE(small.hold(11));
}

}  // namespace unfinished_bytes_test
