// Where an operator is told that a message is.
#include <catch2/catch.hpp>
#include <string>

#include "server/store/sqlite/store.hpp"
#include "tests/unit/store/contract.hpp"

namespace store_whereabouts_sqlite_test {

using namespace oncewire;
using namespace oncewire::store;
using Outcome = Whereabouts::Outcome;

TEST_CASE("what became of a message is found by its key") {
    const auto opened = SqliteStore::open(":memory:", {"first"});
    REQUIRE(opened);
    test::StoreUser store(**opened);
    const ProducerId ann("ann");
    REQUIRE(store.begin());
    for (const char* room : {"/,a", "/,b", "/,a"}) REQUIRE(test::append(store, room, "[1]"));
    const auto settle = [&](delivery::Sequence sequence, Verdict verdict,
                            std::optional<Publication> published) {
        REQUIRE(store.put_verdict(ann, sequence, {sequence, std::move(verdict), published}));
    };
    settle(1, accept(), Publication{1, 1});
    settle(2, accept(), Publication{2, 2});
    settle(3, reject("no", "because"), Publication{4, 0});
    settle(4, accept(), Publication{4, 0});
    settle(5, accept(), std::nullopt);
    REQUIRE(store.put_producer(test::producer("ann", 5)));
    REQUIRE(store.commit() == WriteOutcome::committed);
    store.forget_verdicts(ann, 1);
    REQUIRE(store.commit() == WriteOutcome::committed);
    const auto find = [&](delivery::Sequence sequence) {
        const auto found = (*opened)->find_message({ann, sequence});
        REQUIRE(found);
        return *found;
    };

    CHECK((*opened)->find_message({ProducerId("bob"), 1})->outcome == Outcome::unknown_sender);
    CHECK(find(1).outcome == Outcome::forgotten);
    CHECK(find(6).outcome == Outcome::not_here);
    CHECK(find(6).last == 5);
    const auto two = find(2);
    CHECK(two.outcome == Outcome::settled);
    CHECK(two.published == Publication{2, 2});
    REQUIRE(two.entries.size() == 2);
    CHECK(two.entries[0].room == "/,b");
    CHECK(two.entries[1].offset == 3);
    CHECK(two.entries[1].stored_at.value == 1);
    CHECK(find(3).verdict == reject("no", "because"));
    CHECK(find(3).entries.empty());
    CHECK(find(4).entries.empty());
    CHECK_FALSE(find(5).published);

    SECTION("and says no more of what retention removed") {
        REQUIRE(store.begin());
        store.trim({{{"", {}, 1}}}, {0}, 10);
        REQUIRE(store.commit() == WriteOutcome::committed);
        CHECK(find(2).published == Publication{2, 2});
        CHECK(find(2).entries.size() == 2);  // the newest of each room stays
        for (const char* room : {"/,a", "/,b"}) test::commit_one(store, room, "[1]");
        REQUIRE(store.begin());
        store.trim({{{"", {}, 1}}}, {0}, 10);
        REQUIRE(store.commit() == WriteOutcome::committed);
        CHECK(find(2).entries.empty());
    }
}

TEST_CASE("a message is named by its sender and its number") {
    const std::string sender(32, 'a');
    CHECK(parse_message_key(sender + ":17") == MessageKey{ProducerId(sender), 17});
    for (const char* tail : {"", ":", ":0", ":-1", ":1 ", ": 1", ":1:2", ":99999999999999999999"}) {
        CHECK_FALSE(parse_message_key(sender + tail));
    }
    CHECK_FALSE(parse_message_key("ann:1"));
    CHECK_FALSE(parse_message_key(""));
}

}  // namespace store_whereabouts_sqlite_test
