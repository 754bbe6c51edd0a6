#include "server/net/unfinished_bytes.hpp"

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
    CHECK(first->grow_to(30));
    CHECK(first->grow_to(50));
    CHECK(first->grow_to(50));
    CHECK(second.grow_to(30));
    CHECK_FALSE(second.grow_to(31));
    CHECK_FALSE(first->grow_to(51));
    first.reset();
    CHECK(second.grow_to(70));
    CHECK_FALSE(second.grow_to(71));
}

TEST_CASE("all networks together have a bound, too") {
    const auto bytes = whole();
    Share first(bytes, "192.0.2.1"), second(bytes, "192.0.2.2"), third(bytes, "192.0.2.3");
    CHECK(first.grow_to(70));
    CHECK(second.grow_to(50));
    CHECK_FALSE(second.grow_to(51));
    CHECK_FALSE(third.grow_to(11));
}

TEST_CASE("the start of a body is never too much") {
    const auto bytes = whole();
    Share greedy(bytes, "192.0.2.1"), small(bytes, "192.0.2.1");
    CHECK(greedy.grow_to(70));
    CHECK(small.grow_to(10));
    CHECK_FALSE(small.grow_to(11));
}

}  // namespace unfinished_bytes_test
