#include <catch2/catch.hpp>

#include "shared/delivery/outbox.hpp"

namespace delivery_outbox_test {

using namespace oncewire;
using namespace oncewire::delivery;

namespace {

Outbox small_outbox() { return Outbox({4, 100, 40, 2}, 1); }

Sequence push_saved(Outbox& outbox, std::string message) {
    const auto sequence = outbox.push(std::move(message));
    REQUIRE(sequence);
    outbox.saved(*sequence);
    return *sequence;
}

Sequence next_sequence_of(Outbox& outbox) {
    const auto* entry = outbox.next();
    return entry ? entry->sequence : 0;
}

}  // namespace

TEST_CASE("an entry is not offered before it is saved, and never overtaken") {
    Outbox outbox = small_outbox();
    const auto first = outbox.push("a");
    const auto second = outbox.push("b");
    REQUIRE(first);
    REQUIRE(second);
    outbox.saved(*second);
    CHECK(outbox.next() == nullptr);
    outbox.saved(*first);
    CHECK(next_sequence_of(outbox) == 1);
    CHECK(next_sequence_of(outbox) == 2);
}

TEST_CASE("no more than the window is in flight") {
    Outbox outbox = small_outbox();
    for (const auto* text : {"a", "b", "c"}) push_saved(outbox, text);
    CHECK(next_sequence_of(outbox) == 1);
    CHECK(next_sequence_of(outbox) == 2);
    CHECK(outbox.next() == nullptr);
    CHECK(outbox.in_flight() == 2);
    CHECK(outbox.settle(1));
    CHECK(next_sequence_of(outbox) == 3);
}

TEST_CASE("no more than the window's bytes are in flight, but always one message") {
    Outbox outbox({.window_bytes = 5}, 0);
    for (const auto* text : {"ab", "cd", "ef", "larger than all"}) push_saved(outbox, text);
    CHECK(next_sequence_of(outbox) == 1);
    CHECK(next_sequence_of(outbox) == 2);
    CHECK(outbox.next() == nullptr);
    CHECK(outbox.settle(1));
    CHECK(next_sequence_of(outbox) == 3);
    outbox.link_lost();
    CHECK(next_sequence_of(outbox) == 2);
    CHECK(outbox.settle(2));
    CHECK(next_sequence_of(outbox) == 3);
    CHECK(outbox.next() == nullptr);
    CHECK(outbox.settle(3));
    CHECK(next_sequence_of(outbox) == 4);
}

TEST_CASE("after an attach what the receiver has seen is settled before anything new is offered") {
    Outbox outbox = small_outbox();
    for (const auto* text : {"a", "b", "c"}) push_saved(outbox, text);
    CHECK(outbox.attached({1, 0}).empty());
    CHECK(next_sequence_of(outbox) == 1);
    CHECK(outbox.next() == nullptr);  // 1 may yet turn out to be a conflict
    outbox.settle(1);
    CHECK(next_sequence_of(outbox) == 2);
    CHECK(next_sequence_of(outbox) == 3);
}

TEST_CASE("a lost link offers everything in flight again, in order") {
    Outbox outbox = small_outbox();
    push_saved(outbox, "a");
    push_saved(outbox, "b");
    outbox.next();
    outbox.next();
    CHECK(outbox.link_lost() == std::vector<Sequence>{1, 2});
    CHECK(outbox.in_flight() == 0);
    CHECK(next_sequence_of(outbox) == 1);
    CHECK(next_sequence_of(outbox) == 2);
}

TEST_CASE("a late or repeated verdict is ignored") {
    Outbox outbox = small_outbox();
    push_saved(outbox, "a");
    outbox.next();
    CHECK(outbox.settle(1));
    CHECK_FALSE(outbox.settle(1));
    CHECK_FALSE(outbox.settle(7));
    CHECK(outbox.size() == 0);
    CHECK(outbox.bytes() == 0);
    CHECK(outbox.in_flight() == 0);
}

TEST_CASE("every limit refuses with its own reason and takes nothing") {
    Outbox outbox = small_outbox();
    CHECK(outbox.push(std::string(41, 'x')).error() == OutboxError::too_large);
    push_saved(outbox, std::string(40, 'x'));
    push_saved(outbox, std::string(40, 'x'));
    CHECK(outbox.push(std::string(21, 'x')).error() == OutboxError::bytes_full);
    push_saved(outbox, std::string(20, 'x'));
    CHECK(outbox.bytes() == 100);
    push_saved(outbox, "");
    CHECK(outbox.push("").error() == OutboxError::entries_full);
    CHECK(outbox.size() == 4);
    CHECK(outbox.next_sequence() == 5);
}

TEST_CASE("restored entries are offered again and the counter goes on behind them") {
    Outbox outbox = small_outbox();
    outbox.restore(3, {{5, 50, "e"}, {6, 60, "f"}});
    CHECK(outbox.next_sequence() == 7);
    CHECK(next_sequence_of(outbox) == 5);
    CHECK(push_saved(outbox, "g") == 7);
}

TEST_CASE("the counter continues behind what the receiver has seen") {
    Outbox empty = small_outbox();
    CHECK(empty.attached({9, 0}).empty());
    CHECK(empty.next_sequence() == 10);
    CHECK(empty.attached({3, 0}).empty());  // the receiver's database is older: follow it
    CHECK(empty.next_sequence() == 4);

    Outbox pending = small_outbox();
    pending.restore(3, {{2, 20, "b"}});
    CHECK(pending.attached({9, 0}).empty());  // 2 is still to be asked about
    CHECK(pending.next_sequence() == 10);
}

TEST_CASE("entries beyond a hole the receiver cannot fill come forward") {
    Outbox outbox = small_outbox();
    outbox.restore(8, {{6, 60, "f"}, {7, 70, "g"}});
    const auto changes = outbox.attached({3, 0});
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].before == 6);
    CHECK(changes[0].after == 4);
    CHECK(changes[1].after == 5);
    CHECK(outbox.next() == nullptr);  // stored under the new number first
    outbox.saved(4);
    CHECK(next_sequence_of(outbox) == 4);
    CHECK(outbox.find(4)->digest == 60);  // the message is the same message
    CHECK(outbox.next_sequence() == 6);
}

TEST_CASE(
    "what met a conflict takes a number beyond what the receiver has, and what follows with it") {
    Outbox outbox({10, 1000, 40, 10}, 1);
    outbox.restore(1, {{7, 70, "g"}, {8, 80, "h"}, {9, 90, "i"}, {10, 100, "j"}});
    CHECK(outbox.attached({9, 0}).empty());
    for (int i = 0; i < 3; ++i) outbox.next();
    CHECK(outbox.next() == nullptr);
    outbox.conflict(8, 9);
    outbox.conflict(8, 9);  // told twice
    CHECK(
        outbox.renumber_conflicts().empty());  // the receiver may have 7 and 9 under their numbers
    outbox.settle(7);
    CHECK(outbox.renumber_conflicts().empty());
    outbox.settle(9);
    const auto changes = outbox.renumber_conflicts();
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].before == 8);
    CHECK(changes[0].after == 10);
    CHECK(changes[1].before == 10);
    CHECK(changes[1].after == 11);
    CHECK(outbox.in_flight() == 0);
    CHECK(outbox.find(8) == nullptr);
    CHECK(outbox.find(10)->message == "h");
    CHECK(outbox.find(11)->message == "j");
    CHECK(outbox.renumber_conflicts().empty());
    outbox.conflict(8, 9);  // late: it has another number now
    CHECK(outbox.renumber_conflicts().empty());
}

TEST_CASE("conflicts take no room of the window, and are asked about anew on the next link") {
    Outbox outbox({10, 1000, 40, 2}, 1);
    outbox.restore(1, {{1, 10, "a"}, {2, 20, "b"}, {3, 30, "c"}, {4, 40, "d"}});
    CHECK(outbox.attached({4, 0}).empty());
    for (const Sequence sequence : {1, 2}) CHECK(next_sequence_of(outbox) == sequence);
    CHECK(outbox.next() == nullptr);
    for (const Sequence sequence : {1, 2}) outbox.conflict(sequence, 4);
    for (const Sequence sequence : {3, 4}) CHECK(next_sequence_of(outbox) == sequence);
    SECTION("the link is lost before the rest is known") {
        outbox.link_lost();
        CHECK(outbox.in_flight() == 0);
        CHECK(outbox.attached({4, 0}).empty());
        for (const Sequence sequence : {1, 2}) CHECK(next_sequence_of(outbox) == sequence);
        CHECK(outbox.next() == nullptr);
    }
    SECTION("all of them conflict") {
        for (const Sequence sequence : {3, 4}) outbox.conflict(sequence, 4);
        const auto changes = outbox.renumber_conflicts();
        REQUIRE(changes.size() == 4);
        CHECK(changes[0].after == 5);
        CHECK(changes[3].after == 8);
        CHECK(outbox.next() == nullptr);
        outbox.saved(5);
        CHECK(next_sequence_of(outbox) == 5);
    }
}

TEST_CASE("the receiver is told from which number on something may come") {
    Outbox outbox = small_outbox();
    CHECK(outbox.first() == 1);
    outbox.restore(3, {{5, 50, "e"}, {6, 60, "f"}});
    CHECK(outbox.first() == 5);
    outbox.next();
    outbox.settle(5);
    CHECK(outbox.first() == 6);
    outbox.settle(6);
    CHECK(outbox.first() == 7);
}

TEST_CASE("only what cannot have arrived may be cancelled, and its number stays in use") {
    Outbox outbox({10, 1000, 40, 1}, 1);
    push_saved(outbox, "a");
    push_saved(outbox, "b");
    push_saved(outbox, "c");
    outbox.next();
    CHECK_FALSE(outbox.cancel(1));
    outbox.link_lost();
    CHECK_FALSE(outbox.cancel(1));  // it was on the wire once
    CHECK(outbox.cancel(2));
    CHECK(outbox.find(2)->message == cancelled_message);
    CHECK(outbox.entries().size() == 2);
    CHECK(next_sequence_of(outbox) == 1);
    outbox.settle(1);
    CHECK(outbox.next() == nullptr);  // the cancellation has to be stored before it is sent
    outbox.saved(2);
    CHECK(next_sequence_of(outbox) == 2);
    CHECK_FALSE(outbox.cancel(9));
}

TEST_CASE("the same text under another start of the client has another digest") {
    CHECK(digest("x", 1) != digest("x", 2));
    CHECK(digest("x", 1) == digest("x", 1));
    Outbox monday({4, 100, 40, 2}, 1);
    Outbox tuesday({4, 100, 40, 2}, 2);
    CHECK(monday.find(push_saved(monday, "x"))->digest !=
          tuesday.find(push_saved(tuesday, "x"))->digest);
}

}  // namespace delivery_outbox_test
