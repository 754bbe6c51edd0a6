#include <catch2/catch.hpp>

#include "tests/unit/store/contract.hpp"

namespace oncewire::test {
namespace {

using store::QuestionRow;

const ProducerId ann("ann");
const ProducerId bob("bob");

QuestionRow question(StoreUser& store, const ProducerId& to, std::int64_t expires_at) {
    const auto id = store.last_question() + 1;
    return {id, to, "key " + std::to_string(id), "/", "[\"q\"]", {expires_at}};
}

/// Commits one for each time: 1 and 3 to ann, 2 to bob.
std::vector<QuestionRow> ask_three(StoreUser& store) {
    std::vector<QuestionRow> asked;
    CHECK(store.begin());
    for (const auto& [to, expires_at] : {std::pair(ann, 30), {bob, 10}, {ann, 20}}) {
        asked.push_back(question(store, to, expires_at));
        CHECK(store.put_question(asked.back()));
    }
    CHECK(store.commit() == store::WriteOutcome::committed);
    return asked;
}

}  // namespace

void check_questions_contract(StoreMachine& machine) {
    StoreUser& store = machine.store();
    const auto asked = ask_three(store);

    SECTION("the questions of one client come in order, over restarts, until they are erased") {
        machine.restart();
        StoreUser& again = machine.store();
        CHECK(*again.questions_to(ann, 0, many) == std::vector{asked[0], asked[2]});
        CHECK(*again.questions_to(ann, 0, 1) == std::vector{asked[0]});
        CHECK(*again.questions_to(ann, 1, many) == std::vector{asked[2]});
        CHECK(*again.count_questions_to(ann) == 2);
        CHECK(*again.find_question("key 2") == asked[1]);
        CHECK(again.begin());
        CHECK(again.erase_question(1, ann));
        CHECK(*again.count_questions_to(ann) == 1);
        CHECK(again.commit() == store::WriteOutcome::committed);
        CHECK(*again.questions_to(ann, 0, many) == std::vector{asked[2]});
        CHECK_FALSE(again.find_question("key 1")->has_value());
    }
    SECTION("what expires is found by when, soonest first") {
        CHECK(store.expiring_questions({9}, many)->empty());
        CHECK(*store.expiring_questions({20}, many) == std::vector{asked[1], asked[2]});
        CHECK(*store.expiring_questions({INT64_MAX}, 1) == std::vector{asked[1]});
    }
    SECTION("a number is not given twice, though its question is gone") {
        CHECK(store.begin());
        CHECK(store.erase_question(3, ann));
        CHECK(store.commit() == store::WriteOutcome::committed);
        machine.restart();
        CHECK(machine.store().last_question() == 3);
    }
    SECTION("a key is free for another question in the batch in which the one before it ends") {
        CHECK(store.begin());
        CHECK(store.erase_question(1, ann));
        auto again = question(store, bob, 5);
        again.key = "key 1";
        CHECK(store.put_question(again));
        CHECK(store.erase_question(4, bob));
        again.id = 5;
        CHECK(store.put_question(again));
        CHECK(store.commit() == store::WriteOutcome::committed);
        CHECK(*store.find_question("key 1") == again);
        CHECK(*store.questions_to(bob, 0, many) == std::vector{asked[1], again});
        CHECK(*store.questions_to(ann, 0, many) == std::vector{asked[2]});
    }
    SECTION("the number of one that was asked and ended at once is not given again") {
        CHECK(store.begin());
        CHECK(store.put_question(question(store, ann, 1)));
        CHECK(store.erase_question(4, ann));
        CHECK(store.commit() == store::WriteOutcome::committed);
        machine.restart();
        CHECK(machine.store().last_question() == 4);
        CHECK(*machine.store().count_questions_to(ann) == 2);
    }
    SECTION("what is undone or rolled back was neither asked nor ended") {
        CHECK(store.begin());
        CHECK(store.mark());
        CHECK(store.put_question(question(store, ann, 1)));
        CHECK(store.erase_question(1, ann));
        CHECK(*store.count_questions_to(ann) == 2);
        CHECK(store.undo());
        CHECK(*store.count_questions_to(ann) == 2);
        CHECK(store.find_question("key 1")->has_value());
        CHECK_FALSE(store.find_question("key 4")->has_value());
        CHECK(store.erase_question(2, bob));
        CHECK_FALSE(store.find_question("key 2")->has_value());
        store.rollback();
        CHECK(store.find_question("key 2")->has_value());
        commit_one(store, "/,a", "1");
        CHECK(*store.questions_to(ann, 0, many) == std::vector{asked[0], asked[2]});
        CHECK(store.questions_to(bob, 0, many)->size() == 1);
    }
}

}  // namespace oncewire::test
