#include "server/core/mailbox.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <thread>

namespace mailbox_test {

using namespace oncewire;
using Box = core::Mailbox<int>;
using Letters = std::vector<int>;

TEST_CASE("letters come out in the order they went in, all at once") {
    Box box({10});
    box.post({1, 2});
    box.post({3});
    box.post({});
    CHECK(box.take().letters == Letters{1, 2, 3});
    CHECK(box.take().letters.empty());
}

TEST_CASE("the receiver is woken once for a batch, and again for the next") {
    Box box({10});
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
    Box box({2});
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
    core::Mailbox<std::string> box(
        {100, 1000, [](const std::string& letter) { return letter.size(); }});
    box.post({std::string(999, 'x')});
    CHECK_FALSE(box.is_full());
    box.post({"y"});
    CHECK(box.is_full());
    CHECK(box.take().was_full);
    CHECK_FALSE(box.is_full());
}

TEST_CASE("waiting ends with mail, with time, or with close") {
    Box box({2});
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

TEST_CASE("senders from several threads keep their order, and nothing is lost") {
    constexpr int count = 2000;
    Box box({8});
    const auto send = [&](int first) {
        for (int i = 0; i < count; ++i) box.post({first + i});
    };
    std::thread low(send, 0), high(send, count);
    Letters seen_low, seen_high;
    while (seen_low.size() + seen_high.size() < 2 * count) {
        box.wait(std::nullopt);
        for (const int letter : box.take().letters) {
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

TEST_CASE("a box that stays full is crowded first, then stuck, and neither when it was emptied") {
    Box box({2});
    box.post({1, 2});
    CHECK(box.is_full());
    while (!box.is_stuck()) std::this_thread::yield();
    CHECK_FALSE(box.is_crowded());
    box.take();
    CHECK_FALSE(box.is_full());
    CHECK_FALSE(box.is_stuck());
    box.post({1, 2});
    CHECK_FALSE(box.is_stuck());
}

}  // namespace mailbox_test
