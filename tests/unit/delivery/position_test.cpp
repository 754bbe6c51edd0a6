#include <catch2/catch.hpp>

#include "shared/delivery/backoff.hpp"
#include "shared/delivery/cursor.hpp"
#include "shared/delivery/dedupe.hpp"
#include "shared/delivery/position.hpp"

namespace delivery_position_test {

using namespace oncewire;
using namespace oncewire::delivery;

TEST_CASE("a position survives its wire form, up to what JavaScript can count") {
    for (const Offset offset : {Offset{0}, Offset{1}, Offset{9007199254740991}}) {
        const Position position{Epoch{"Az09_-"}, offset};
        CHECK(parse_position(format(position)) == position);
    }
    CHECK(format(Position{Epoch{"e1"}, 42}) == "e1.42");
}

TEST_CASE("a position may tell which entry came before") {
    const LinkedPosition linked{{Epoch{"e1"}, 42}, 7};
    CHECK(format(linked) == "e1.42.7");
    CHECK(parse_linked_position("e1.42.7") == linked);
    CHECK(parse_linked_position("e1.42") == LinkedPosition{{Epoch{"e1"}, 42}, 0});
    CHECK(parse_linked_position("e1.0") == LinkedPosition{{Epoch{"e1"}, 0}, 0});
    for (const auto* text : {"", ".", "..", "e1..7", "e1.42.", "e1.42.42", "e1.42.43", "e1.42.07",
                             "e1.42.7.1", "e1.42.x", ".42.7", "e1.0.0.0"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_linked_position(text));
    }
}

TEST_CASE("strings that are no position are left to the application") {
    for (const auto* text : {"", ".", "e.", ".1", "e", "e.01", "e.-1", "e.+1", "e.1 ", "e.1.2",
                             "e e.1", "e.x", "e.9007199254740992", "e.99999999999999999999",
                             "\xc3\xa9.1", "123456789012345678901234567890123.1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_position(text));
    }
}

TEST_CASE("a cursor hands on what is beyond it and drops what is not") {
    Cursor cursor;
    CHECK(cursor.arrive({Epoch{"a"}, 5}) == Cursor::Arrival::fresh);
    CHECK(cursor.arrive({Epoch{"a"}, 5}) == Cursor::Arrival::repeated);
    CHECK(cursor.arrive({Epoch{"a"}, 4}) == Cursor::Arrival::late);
    CHECK(cursor.arrive({Epoch{"a"}, 9}) ==
          Cursor::Arrival::fresh);  // other rooms' entries lie between
    CHECK(cursor.position() == Position{Epoch{"a"}, 9});
}

TEST_CASE("a cursor stays where something is missing") {
    Cursor cursor(Position{Epoch{"a"}, 5});
    CHECK(cursor.arrive({Epoch{"a"}, 9}, 5) == Cursor::Arrival::fresh);
    CHECK(cursor.arrive({Epoch{"a"}, 12}, 3) == Cursor::Arrival::fresh);  // of a quiet room
    CHECK(cursor.arrive({Epoch{"a"}, 20}, 13) == Cursor::Arrival::hole);
    CHECK(cursor.position() == Position{Epoch{"a"}, 12});
    CHECK(cursor.arrive({Epoch{"a"}, 13}, 12) == Cursor::Arrival::fresh);
    CHECK(cursor.arrive({Epoch{"a"}, 20}, 13) == Cursor::Arrival::fresh);
    CHECK(Cursor().arrive({Epoch{"a"}, 20}, 13) == Cursor::Arrival::fresh);
}

TEST_CASE("a cursor does not compare offsets of different histories") {
    Cursor cursor(Position{Epoch{"a"}, 5});
    CHECK(cursor.arrive({Epoch{"b"}, 6}) == Cursor::Arrival::stream_changed);
    CHECK(cursor.position() == Position{Epoch{"a"}, 5});
    cursor.reset({Epoch{"b"}, 0});
    CHECK(cursor.arrive({Epoch{"b"}, 1}) == Cursor::Arrival::fresh);
}

TEST_CASE("the next sequence is taken, earlier ones are repeats, later ones a gap") {
    CHECK(judge(0, 1) == Judgement::next);
    CHECK(judge(5, 6) == Judgement::next);
    CHECK(judge(5, 5) == Judgement::repeated);
    CHECK(judge(5, 1) == Judgement::repeated);
    CHECK(judge(5, 7) == Judgement::gap);
    CHECK(judge(0, 2) == Judgement::gap);
}

TEST_CASE("backoff doubles from min to max, with jitter around it, and starts over after reset") {
    Backoff backoff({Millis{1000}, Millis{5000}, 50}, Prng(1));
    const std::pair<Millis, Millis> bounds[] = {{Millis{500}, Millis{1500}},
                                                {Millis{1000}, Millis{3000}},
                                                {Millis{2000}, Millis{5000}},
                                                {Millis{2500}, Millis{5000}},
                                                {Millis{2500}, Millis{5000}}};
    for (int round = 0; round < 200; ++round) {
        for (const auto& [low, high] : bounds) {
            const Millis delay = backoff.next();
            CHECK(delay >= low);
            CHECK(delay <= high);
        }
        backoff.reset();
    }
    Backoff steady({Millis{100}, Millis{1000}, 0}, Prng(1));
    CHECK(steady.next() == Millis{100});
    CHECK(steady.next() == Millis{200});
    for (int i = 0; i < 100; ++i) steady.next();
    CHECK(steady.next() == Millis{1000});
}

TEST_CASE("digests and tokens have one wire form each") {
    CHECK(format_digest(0) == "0000000000000000");
    CHECK(format_digest(0xfedcba9876543210u) == "fedcba9876543210");
    CHECK(parse_digest("fedcba9876543210") == Digest{0xfedcba9876543210u});
    for (const auto* text :
         {"", "fedcba987654321", "FEDCBA9876543210", "fedcba98765432100", "g000000000000000"}) {
        CHECK_FALSE(parse_digest(text));
    }
    CHECK(hex(std::string("\x00\xff", 2)) == "00ff");
    CHECK(is_producer_token("0123456789abcdef0123456789abcdef"));
    CHECK_FALSE(is_producer_token("0123456789ABCDEF0123456789abcdef"));
    CHECK_FALSE(is_producer_token("0123"));
}

}  // namespace delivery_position_test
