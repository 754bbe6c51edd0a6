// What the server asks one client, seen from both ends.
#include <catch2/catch.hpp>

#include "shared/delivery/answer.hpp"
#include "tests/unit/peer/small_world.hpp"

namespace peer_questions_test {

using namespace oncewire;
using test::SmallWorld;

namespace {

/// The names of what the page was asked, in order.
std::vector<std::string> asked(const SmallWorld& world, std::size_t browser) {
    std::vector<std::string> names;
    for (const auto& event : world.seen<peer::EventArrived>(browser)) {
        if (event.question) names.push_back(delivery::format(*event.question));
    }
    return names;
}

void let_ask(SmallWorld& world, std::size_t browser, const char* text) {
    const std::string message = std::string(R"(["ask me",")") + text + "\"]";
    REQUIRE(world[browser].client.emit_durable(0, message, world.now));
    world.settle();
}

void answer(SmallWorld& world, std::size_t browser, const char* question, const char* text) {
    const std::string arguments = std::string("[\"") + text + "\"]";
    REQUIRE(world[browser].client.answer(0, question, arguments, world.now));
    world.settle();
}

const ProducerId lane(std::string(32, 'b'));
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a page is asked, answers, and the answer has its effect once") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto bob = world.add_browser(true);
    world.connect(alice);
    world.connect(bob);
    let_ask(world, alice, "ready?");
    REQUIRE(asked(world, alice) == Texts{"e1.1"});
    CHECK(asked(world, bob).empty());
    CHECK(world[alice].texts.at(0) == R"(["question","ready?"])");

    answer(world, alice, "e1.1", "yes");
    answer(world, alice, "e1.1", "no");
    CHECK(world.log_texts() == Texts{"yes"});
    CHECK(world[alice].client.outbox(0)->size() == 0);
    CHECK(world.disk.tables.questions.empty());
}

TEST_CASE("a page is asked once, however often its link is lost before it answers") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world.connect(alice);
    let_ask(world, alice, "ready?");
    world.cut(alice);
    world.pass(Millis{6'000});
    let_ask(world, alice, "sure?");
    CHECK(asked(world, alice) == Texts{"e1.1", "e1.2"});

    world[alice].can_connect = false;
    world.cut(alice);
    answer(world, alice, "e1.2", "yes");
    CHECK(world.log_texts().empty());
    world[alice].can_connect = true;
    world.pass(Millis{6'000});
    CHECK(world.log_texts() == Texts{"yes"});
    CHECK(asked(world, alice).size() == 2);
}

TEST_CASE("after a refresh the page is asked what storage holds no answer to") {
    SmallWorld world;
    const auto first = world.add_browser(true, {}, 1, lane);
    world.connect(first);
    let_ask(world, first, "one?");
    let_ask(world, first, "two?");
    world[first].can_connect = false;
    world.cut(first);
    answer(world, first, "e1.1", "yes");
    const auto saves = world.seen<peer::Save>(first);
    const auto stored = saves.back().put;
    REQUIRE(stored.size() == 1);

    const auto second = world.add_browser(true, stored, saves.back().next_sequence, lane);
    world.connect(second);
    CHECK(asked(world, second) == Texts{"e1.2"});
    CHECK(world.log_texts() == Texts{"yes"});
}

TEST_CASE("a page is not asked before it comes back, then in order") {
    SmallWorld world;
    const auto alice = world.add_browser(true, {}, 1, lane);
    world.connect(alice);
    let_ask(world, alice, "one?");
    let_ask(world, alice, "two?");
    let_ask(world, alice, "three?");
    world.cut(alice);
    const auto again = world.add_browser(true, {}, 4, lane);
    world.connect(again);
    CHECK(asked(world, again) == Texts{"e1.1", "e1.2", "e1.3"});
}

TEST_CASE("a client that does not know questions is not sent any") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    world[alice].knows_questions = false;
    world.connect(alice);
    let_ask(world, alice, "ready?");
    CHECK(asked(world, alice).empty());
    CHECK(world.disk.tables.questions.size() == 1);
    CHECK(world[alice].client.is_connected(0));
}

TEST_CASE("what is no answer is not taken for one") {
    SmallWorld world;
    const auto alice = world.add_browser(true);
    const auto stock = world.add_browser(false);
    auto& client = world[alice].client;
    using peer::EmitError;
    CHECK(client.answer(0, "e1.1", "{}", world.now).error() == EmitError::not_an_event);
    CHECK(client.answer(0, "e1.1", "[", world.now).error() == EmitError::not_an_event);
    CHECK(client.answer(0, "e1\",1", "[]", world.now).error() == EmitError::not_an_event);
    CHECK(client.emit_durable(0, R"(["oncewire:answer","e1.1",[]])", world.now).error() ==
          EmitError::reserved_name);
    CHECK(world[stock].client.answer(0, "e1.1", "[]", world.now).error() == EmitError::no_lane);
}

TEST_CASE("an answer is parsed as it was made, and nothing else is") {
    const auto message = delivery::answer_message("e1.7", R"(["a",{"b":1}])");
    CHECK(message == R"(["oncewire:answer","e1.7",["a",{"b":1}]])");
    const auto parsed = delivery::parse_answer(message);
    REQUIRE(parsed);
    CHECK(delivery::format(parsed->question) == "e1.7");
    CHECK(parsed->arguments == R"(["a",{"b":1}])");
    CHECK(delivery::is_answer_to(message, parsed->question));
    CHECK_FALSE(delivery::is_answer_to(message, {{"e1"}, 70}));
    for (const auto* text :
         {R"(["oncewire:answer"])", R"(["oncewire:answer",7,[]])", R"(["oncewire:answer","e1",[]])",
          R"(["oncewire:answer","e1.7",{}])", R"(["oncewire:answer","e1.7",[],1])",
          R"(["other","e1.7",[]])", "{}"}) {
        CAPTURE(text);
        CHECK_FALSE(delivery::parse_answer(text));
    }
}

}  // namespace peer_questions_test
