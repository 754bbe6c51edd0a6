#include <catch2/catch.hpp>

#include "tests/unit/store/contract.hpp"

namespace oncewire::test {
namespace {

using store::QuestionRow;
using store::Store;

const ProducerId ann("ann");
const ProducerId bob("bob");

QuestionRow question(Store& store, const ProducerId& to, std::int64_t expires_at) {
    const auto id = store.last_question() + 1;
    return {id, to, "key " + std::to_string(id), "/", "[\"q\"]", {expires_at}};
}

/// Commits one for each time: 1 and 3 to ann, 2 to bob.
std::vector<QuestionRow> ask_three(Store& store) {
    std::vector<QuestionRow> asked;
    CHECK(store.begin());
    for (const auto& [to, expires_at] : {std::pair(ann, 30), {bob, 10}, {ann, 20}}) {
        asked.push_back(question(store, to, expires_at));
        CHECK(store.put_question(asked.back()));
    }
    CHECK(store.commit() == store::CommitOutcome::committed);
    return asked;
}

}  // namespace

void check_questions_contract(StoreMachine& machine) {
    Store& store = machine.store();
    const auto asked = ask_three(store);

    SECTION("the questions of one client come in order, over restarts, until they are erased") {
        machine.restart();
        Store& again = machine.store();
        CHECK(*again.questions_to(ann, 0, many) == std::vector{asked[0], asked[2]});
        CHECK(*again.questions_to(ann, 0, 1) == std::vector{asked[0]});
        CHECK(*again.questions_to(ann, 1, many) == std::vector{asked[2]});
        CHECK(*again.count_questions_to(ann) == 2);
        CHECK(*again.find_question("key 2") == asked[1]);
        CHECK(again.begin());
        CHECK(again.erase_question(1));
        CHECK(*again.count_questions_to(ann) == 1);
        CHECK(again.commit() == store::CommitOutcome::committed);
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
        CHECK(store.erase_question(3));
        CHECK(store.commit() == store::CommitOutcome::committed);
        machine.restart();
        CHECK(machine.store().last_question() == 3);
    }
    SECTION("what is undone or rolled back was neither asked nor ended") {
        CHECK(store.begin());
        CHECK(store.mark());
        CHECK(store.put_question(question(store, ann, 1)));
        CHECK(store.erase_question(1));
        CHECK(store.undo());
        CHECK(*store.questions_to(ann, 0, many) == std::vector{asked[0], asked[2]});
        CHECK(store.erase_question(2));
        store.rollback();
        CHECK(store.find_question("key 2")->has_value());
    }
}

}  // namespace oncewire::test
