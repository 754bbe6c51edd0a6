#include "server/core/mailbox.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>

namespace mailbox_test {

using namespace oncewire;
using Box = core::Mailbox<int>;
using Letters = std::vector<int>;

TEST_CASE("letters come out in the order they went in, all at once") {
    Box box(10);
    box.post({1, 2});
    box.post({3});
    box.post({});
    CHECK(box.take().letters == Letters{1, 2, 3});
    CHECK(box.take().letters.empty());
}

TEST_CASE("the receiver is woken once for a batch, and again for the next") {
    Box box(10);
    int woken = 0;
    box.set_wake([&] { ++woken; });
    box.post({1});
    box.post({2});
    CHECK(woken == 1);
    box.take();
    box.post({3});
    CHECK(woken == 2);
    box.post({});
    CHECK(woken == 2);
}

TEST_CASE("a full box takes more, says so, and tells the receiver that senders may be waiting") {
    Box box(2);
    box.post({1});
    CHECK_FALSE(box.is_full());
    box.post({2, 3});
    CHECK(box.is_full());
    const auto taken = box.take();
    CHECK(taken.was_full);
    CHECK(taken.letters == Letters{1, 2, 3});
    CHECK_FALSE(box.is_full());
    box.post({4});
    CHECK_FALSE(box.take().was_full);
}

TEST_CASE("a box is full of few letters, too, if these are large") {
    core::Mailbox<std::string> box(100, 1000,
                                   [](const std::string& letter) { return letter.size(); });
    box.post({std::string(999, 'x')});
    CHECK_FALSE(box.is_full());
    box.post({"y"});
    CHECK(box.is_full());
    CHECK(box.take().was_full);
    CHECK_FALSE(box.is_full());
}

TEST_CASE("waiting ends with mail, with time, or with close") {
    Box box(2);
    box.wait(Millis(1));
    CHECK(box.take().letters.empty());
    std::thread sender([&] { box.post({1}); });
    box.wait(std::nullopt);
    CHECK(box.take().letters == Letters{1});
    sender.join();
    std::thread closer([&] { box.close(); });
    box.wait(std::nullopt);
    CHECK(box.is_closed());
    closer.join();
}

TEST_CASE("a sender that waits for room keeps each sender's order and loses nothing") {
    constexpr int count = 2000;
    Box box(8);
    const auto send = [&](int first) {
        for (int i = 0; i < count; ++i) {
            box.wait_for_room();
            box.post({first + i});
        }
    };
    std::thread low(send, 0), high(send, count);
    Letters seen_low, seen_high;
    while (seen_low.size() + seen_high.size() < 2 * count) {
        box.wait(std::nullopt);
        const auto taken = box.take();
        CHECK(taken.letters.size() < 8 + 2);
        for (const int letter : taken.letters) {
            (letter < count ? seen_low : seen_high).push_back(letter);
        }
    }
    low.join();
    high.join();
    for (int i = 0; i < count; ++i) {
        REQUIRE(seen_low[static_cast<std::size_t>(i)] == i);
        REQUIRE(seen_high[static_cast<std::size_t>(i)] == count + i);
    }
}

}  // namespace mailbox_test
