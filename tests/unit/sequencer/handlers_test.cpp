// What becomes of a durable handler's work: all of it or nothing, and what it left for later.
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/base/json.hpp"

namespace store_handlers_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;

namespace {

using Handlers = std::map<std::string, DurableHandler, std::less<>>;

/// A sequencer over a disk that can fail, one attached producer, and a clock.
struct Machine {
    MemoryDisk disk{{"e1"}, {}};
    MemoryFaults faults;
    MemoryStore store{disk, &faults};
    Sequencer sequencer;
    SessionRef session{0, 1};
    ProducerId id{std::string(32, 'a')};
    delivery::ProducerEpoch epoch = 0;
    Instant now{Millis{1'000'000}};
    UnixMillis wall_clock{1'000'000};

    explicit Machine(Handlers handlers, Sequencer::Options options = {})
        : sequencer(store, std::move(handlers), std::move(options)) {
        sequencer.start();
        handle(Attach{session, {id, ProducerSecret(std::string(32, 'b'))}});
        for (const auto& mail : end_batch()) {
            if (const auto* attached = std::get_if<Attached>(&mail)) epoch = attached->epoch;
        }
    }
    void handle(ToSequencer mail) { sequencer.handle_mail(std::move(mail), now, wall_clock); }
    void submit(delivery::Sequence sequence, const std::string& data) {
        Submit::ProducerKey key{id, epoch, sequence, sequence * 7};
        handle(Submit{session, "/", data, "scope", key, std::nullopt});
    }
    std::vector<FromSequencer> poll() {
        std::vector<FromSequencer> mails;
        while (auto output = sequencer.poll_output()) mails.push_back(std::move(output->mail));
        return mails;
    }
    std::vector<FromSequencer> end_batch() {
        sequencer.commit(now);
        return poll();
    }
    /// Lets time pass, timer by timer.
    std::vector<FromSequencer> pass(Millis time) {
        std::vector<FromSequencer> mails;
        for (const Instant end = now + time;;) {
            const auto due = sequencer.next_timeout();
            if (!due || *due > end) {
                now = end;
                return mails;
            }
            now = std::max(now, *due);
            sequencer.handle_timeout(now, wall_clock);
            for (auto& mail : poll()) mails.push_back(std::move(mail));
        }
    }
};

template <class Mail>
std::vector<Mail> only(const std::vector<FromSequencer>& mails) {
    std::vector<Mail> found;
    for (const auto& mail : mails) {
        if (const auto* wanted = std::get_if<Mail>(&mail)) found.push_back(*wanted);
    }
    return found;
}

/// Publishes its first argument and leaves a task, then ends as the second says.
Result<Verdict, StoreError> write_and_end(Tx& tx, const Message& message) {
    if (const auto done = tx.publish("room", "[" + std::string(message.args.at(0)) + "]"); !done) {
        return Err{done.error()};
    }
    if (const auto key = tx.defer("mail", "1"); !key) return Err{key.error()};
    const std::string_view end = message.args.at(1);
    if (end == "\"no\"") return reject("no", "because");
    if (end == "\"fail\"") return Err{StoreError::handler};
    return accept("1");
}

const Handlers handlers = {{"do", write_and_end}};

}  // namespace

TEST_CASE("a rejected message leaves its verdict and nothing else") {
    Machine machine(handlers);
    machine.submit(1, R"(["do",1,"yes"])");
    machine.submit(2, R"(["do",2,"no"])");
    machine.submit(3, R"(["do",3,"yes"])");
    const auto settled = only<Settled>(machine.end_batch());
    REQUIRE(settled.size() == 1);
    REQUIRE(settled[0].verdicts.size() == 3);
    CHECK(settled[0].verdicts[1].kind == Verdict::Kind::rejected);
    REQUIRE(machine.disk.tables.log.size() == 2);
    CHECK(machine.disk.tables.log[1].data == "[3]");
    CHECK(machine.disk.tables.log[1].offset == 2);
    CHECK(machine.disk.tables.tasks.size() == 2);
    CHECK(machine.disk.tables.verdicts[machine.id].size() == 3);
}

TEST_CASE("a handler that says what is no JSON has failed, and is told of in a sentence") {
    const Handlers mistaken = {
        {"publish",
         [](Tx& tx, const Message&) -> Result<Verdict, StoreError> {
             (void)tx.publish("room", "not json");  // it does not even look
             (void)tx.defer("mail", "1");
             return accept();
         }},
        {"accept",
         [](Tx&, const Message&) -> Result<Verdict, StoreError> { return accept("not json"); }},
        {"reject",
         [](Tx&, const Message&) -> Result<Verdict, StoreError> { return reject("no", "\xff"); }}};
    std::vector<std::string> told;
    const auto note = [&](const std::string& sentence) { told.push_back(sentence); };
    Machine machine(mistaken, {.handler_attempts_max = 2, .on_mistake = note});
    const std::string event = GENERATE("publish", "accept", "reject");
    machine.submit(1, "[\"" + event + "\"]");
    CHECK(only<RetryLater>(machine.end_batch()).size() == 1);
    machine.submit(1, "[\"" + event + "\"]");
    const auto settled = only<Settled>(machine.end_batch());
    REQUIRE(settled.size() == 1);
    CHECK(settled[0].verdicts.at(0).body.find("handler_failed") != std::string::npos);
    REQUIRE(told.size() == 2);
    CHECK(told[0].find("the handler of \"" + event + "\": ") == 0);
    CHECK(machine.disk.tables.log.empty());
    CHECK(machine.disk.tables.tasks.empty());
}

TEST_CASE("a verdict on an event that nobody knows is JSON, however its name is cut") {
    Machine machine(handlers);
    for (std::size_t length = 61; length <= 66; ++length) {
        const std::string name = std::string(length, 'x') + "\xf0\x9f\x98\x80\xc3\xa9";
        machine.submit(length - 60, "[\"" + name + "\"]");
        const auto settled = only<Settled>(machine.end_batch());
        REQUIRE(settled.size() == 1);
        CHECK(json::is_valid(settled[0].verdicts.at(0).body, 8));
        CHECK(settled[0].verdicts[0].body.find("unknown_event") != std::string::npos);
    }
}

TEST_CASE("a handler that fails costs its message a delay, and nobody else anything") {
    Machine machine(handlers, {.handler_attempts_max = 3});
    const SessionRef other{0, 2};
    machine.handle(Submit{other, "/", R"(["do",7,"yes"])", "s", std::nullopt, 5});
    machine.submit(1, R"(["do",1,"fail"])");
    machine.submit(2, R"(["do",2,"yes"])");
    auto mails = machine.end_batch();
    CHECK(only<RetryLater>(mails).size() == 1);
    CHECK(only<Expect>(mails).empty());
    CHECK(only<Settled>(mails).empty());
    CHECK(only<Answered>(mails).size() == 1);
    CHECK(machine.disk.tables.log.size() == 1);
    CHECK(machine.disk.tables.verdicts.empty());
    CHECK(machine.sequencer.accepts_writes());

    SECTION("until it works: then in order, once") {
        machine.submit(1, R"(["do",1,"yes"])");
        machine.submit(2, R"(["do",2,"yes"])");
        mails = machine.end_batch();
        CHECK(only<Settled>(mails).at(0).verdicts.size() == 2);
        CHECK(machine.disk.tables.log.size() == 3);
    }
    SECTION("or until it was tried often enough: then it is rejected, and its sender goes on") {
        machine.submit(1, R"(["do",1,"fail"])");
        CHECK(only<RetryLater>(machine.end_batch()).size() == 1);
        machine.submit(1, R"(["do",1,"fail"])");
        machine.submit(2, R"(["do",2,"yes"])");
        mails = machine.end_batch();
        const auto settled = only<Settled>(mails);
        REQUIRE(settled.size() == 1);
        REQUIRE(settled[0].verdicts.size() == 2);
        CHECK(settled[0].verdicts[0].kind == Verdict::Kind::rejected);
        CHECK(settled[0].verdicts[0].body.find("handler_failed") != std::string::npos);
        CHECK(machine.disk.tables.log.size() == 2);
        CHECK(machine.sequencer.counts().handler_failures == 3);
    }
}

TEST_CASE("deferred work is given out after the commit, and again until it is done") {
    Machine machine(handlers);
    machine.pass(Millis{0});
    machine.submit(1, R"(["do",1,"yes"])");
    CHECK(machine.pass(Millis{0}).empty());
    machine.end_batch();
    const auto first = only<RunTask>(machine.pass(Millis{0}));
    REQUIRE(first.size() == 1);
    CHECK(first[0].task == TaskRow{1, machine.id.text + ":1/1", "mail", "1"});
    CHECK(only<RunTask>(machine.pass(Millis{60'000})).empty());

    SECTION("a failure is tried again after a while, and a longer one") {
        machine.handle(TaskEnded{1, false});
        machine.end_batch();
        CHECK(only<RunTask>(machine.pass(Millis{999})).empty());
        CHECK(only<RunTask>(machine.pass(Millis{1})).size() == 1);
        machine.handle(TaskEnded{1, false});
        CHECK(only<RunTask>(machine.pass(Millis{1'999})).empty());
        CHECK(only<RunTask>(machine.pass(Millis{1})).size() == 1);
    }
    SECTION("no answer is a failure, some day") {
        CHECK(only<RunTask>(machine.pass(TaskDesk::answer_within)).size() == 1);
    }
    SECTION("once it is done it is gone for good") {
        machine.handle(TaskEnded{1, true});
        machine.handle(TaskEnded{1, true});
        machine.end_batch();
        CHECK(machine.disk.tables.tasks.empty());
        CHECK(only<RunTask>(machine.pass(TaskDesk::answer_within * 2)).empty());
        CHECK(machine.sequencer.counts().tasks_done == 1);
    }
    SECTION("that it is done may be forgotten by a disk that fails: then it is done again") {
        machine.faults.next_commit = MemoryFaults::Commit::fails_and_vanishes;
        machine.handle(TaskEnded{1, true});
        machine.end_batch();
        CHECK(machine.disk.tables.tasks.size() == 1);
        CHECK(only<RunTask>(machine.pass(Millis{1'000})).size() == 1);
    }
    SECTION("after a restart everything that is not done is given out") {
        MemoryStore again(machine.disk);
        Sequencer restarted(again, handlers);
        restarted.start();
        restarted.handle_timeout(machine.now, machine.wall_clock);
        std::size_t given = 0;
        while (auto output = restarted.poll_output()) {
            given += std::holds_alternative<RunTask>(output->mail) ? 1 : 0;
        }
        CHECK(given == 1);
    }
}

TEST_CASE("only so many tasks are open at a time, and the others follow") {
    Machine machine(handlers);
    for (delivery::Sequence i = 1; i <= TaskDesk::open_max + 5; ++i) {
        machine.submit(i, R"(["do",1,"yes"])");
    }
    machine.end_batch();
    CHECK(only<RunTask>(machine.pass(Millis{0})).size() == TaskDesk::open_max);
    for (std::uint64_t task = 1; task <= 5; ++task) machine.handle(TaskEnded{task, true});
    machine.end_batch();
    CHECK(only<RunTask>(machine.pass(Millis{0})).size() == 5);
}

TEST_CASE(
    "a reader who comes back behind what retention removed is told, and pages through the rest") {
    Machine machine(handlers, {.retention = {{{"", {}, 3}}}});
    for (delivery::Sequence i = 1; i <= 10; ++i) machine.submit(i, R"(["do",1,"yes"])");
    machine.end_batch();
    machine.pass(Millis{60'000});
    CHECK(machine.sequencer.counts().trimmed == 7);
    const auto page_after = [&machine](delivery::Offset after) {
        machine.handle(ReadPage{machine.session, {log_room("/", "room")}, after});
        return only<Page>(machine.end_batch()).at(0);
    };
    const Page missed = page_after(4);
    CHECK(missed.after == 4);
    CHECK(missed.lost_to == 7);
    CHECK(missed.entries->size() == 3);
    CHECK(missed.entries->front().room_seq == 8);
    CHECK(page_after(7).lost_to == 0);
    CHECK(page_after(7).entries->size() == 3);
    CHECK(page_after(10).lost_to == 0);
}

TEST_CASE("a session that missed what retention removed begins anew, and is told why") {
    Machine machine(handlers, {.retention = {{{"", {}, 3}}}});
    const std::string room = log_room("/", "room");
    const SessionRef first{0, 7};
    const SessionRef second{0, 8};
    const auto open = [&machine](OpenSession wanted) {
        machine.handle(std::move(wanted));
        return only<SessionOpened>(machine.end_batch()).at(0);
    };
    open({first, "/", "", {room}, "sid", "pid"});
    machine.handle(EndSession{first, false});
    for (delivery::Sequence i = 1; i <= 10; ++i) machine.submit(i, R"(["do",1,"yes"])");
    machine.end_batch();
    const OpenSession again{second, "/", "", {}, "new", "newer", OpenSession::Claim{"pid", {}}};
    SECTION("before it came back") {
        machine.pass(Millis{60'000});
        const auto opened = open(again);
        CHECK_FALSE(opened.is_resumed);
        CHECK(opened.reason == "too_much");
    }
    SECTION("while it was catching up") {
        CHECK(open(again).is_resumed);
        machine.pass(Millis{60'000});
        machine.handle(ReadPage{second, {room}, 0, true});
        CHECK(only<Page>(machine.end_batch()).at(0).lost);
        CHECK(open({{0, 9}, "/", "", {}, "new", "newer", again.claim}).reason == "too_much");
    }
    SECTION("but not of what was removed before it came into the room") {
        machine.pass(Millis{60'000});
        open({second, "/", "", {room}, "other", "others"});
        machine.handle(EndSession{second, false});
        machine.end_batch();
        CHECK(open({{0, 9}, "/", "", {}, "n", "n", OpenSession::Claim{"others", {}}}).is_resumed);
    }
}

TEST_CASE("events dropped before a session began are no loss of its own") {
    Machine machine(handlers, {.recovery = {.entries_max = 1}});
    machine.submit(1, R"(["do",1,"yes"])");
    for (int i = 0; i < 3; ++i) {
        Record record;
        record.event.nsp = "/";
        record.event.rooms = {log_room("/", "room")};
        record.event.data = "[\"said\"]";
        machine.handle(std::move(record));
        machine.end_batch();
    }
    machine.handle(OpenSession{{0, 7}, "/", "", {log_room("/", "room")}, "sid", "pid"});
    machine.handle(ReadPage{{0, 7}, {log_room("/", "room")}, 0, false});
    const Page page = only<Page>(machine.end_batch()).at(0);
    CHECK_FALSE(page.lost);
    CHECK(page.entries->size() == 1);
}

TEST_CASE("an old message goes by the clock on the wall, however often that is put back") {
    const RetentionRule rule{"", Millis{1'000}, {}};
    const std::vector<Age> oldest = {{1, {5'000}}, {2, {9'000}}, {3, {4'000}}, {4, {20'000}}};
    CHECK(count_removable(rule, oldest, 9, UnixMillis{6'000}) == 0);
    CHECK(count_removable(rule, oldest, 9, UnixMillis{6'001}) == 1);
    CHECK(count_removable(rule, oldest, 9, UnixMillis{10'001}) == 3);
    CHECK(count_removable(rule, oldest, 2, UnixMillis{99'999}) == 1);
}

TEST_CASE("a message that comes again under another number is known by its digest") {
    Machine machine(handlers);
    const auto send = [&machine](delivery::Sequence sequence, delivery::Digest digest) {
        Submit::ProducerKey key{machine.id, machine.epoch, sequence, digest};
        machine.handle(Submit{machine.session, "/", R"(["do",1,"yes"])", "s", key, std::nullopt});
        return machine.end_batch();
    };
    send(1, 11);
    send(2, 22);
    send(3, 33);
    SECTION("under one that was given to another message since") {
        const auto settled = only<Settled>(send(2, 33));
        REQUIRE(settled.size() == 1);
        CHECK(settled[0].first == 2);
    }
    SECTION("under the next one, which is then used up") {
        CHECK(only<Settled>(send(4, 22)).at(0).first == 4);
        CHECK(machine.disk.tables.producers[machine.id].seen == delivery::HighWater{4, 22});
        CHECK(only<Settled>(send(5, 55)).at(0).first == 5);
        CHECK(machine.disk.tables.log.size() == 4);
        return;
    }
    SECTION("and one that was never seen is a conflict, as before") {
        const auto conflicts = only<Conflict>(send(2, 99));
        REQUIRE(conflicts.size() == 1);
        CHECK(conflicts[0].last == 3);
        CHECK(machine.sequencer.counts().conflicts == 1);
    }
    CHECK(machine.disk.tables.log.size() == 3);
}

TEST_CASE("what never had another number is not looked for by its digest") {
    Machine machine(handlers);
    const auto send = [&machine](delivery::Sequence sequence, bool renumbered) {
        Submit::ProducerKey key{machine.id, machine.epoch, sequence, 11, renumbered};
        machine.handle(Submit{machine.session, "/", R"(["do",1,"yes"])", "s", key, std::nullopt});
        return machine.end_batch();
    };
    send(1, false);
    send(2, true);
    CHECK(machine.disk.tables.log.size() == 1);
    send(3, false);
    CHECK(machine.disk.tables.log.size() == 2);
}

}  // namespace store_handlers_test
