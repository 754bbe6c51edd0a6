// What becomes of a sender who was away for longer than its verdicts are kept.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/delivery/outcome.hpp"

namespace store_leases_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;

namespace {

constexpr Millis lease{1'000'000};
const SessionRef first{0, 1};
const SessionRef second{0, 2};

/// Publishes, rejects with the code it is given, or asks its sender something.
Result<Verdict, StoreError> say(Tx& tx, const Message& message) {
    const std::string text(message.args.at(0));
    if (text == "\"reject\"") return reject(delivery::outcome_unknown, "mine");
    if (text == "\"ask\"") {
        const auto asked = tx.ask(message.producer, R"(["ready?"])");
        return asked ? Result<Verdict, StoreError>(accept()) : Err{asked.error()};
    }
    const auto stored = tx.publish("room", "[" + text + "]");
    return stored ? Result<Verdict, StoreError>(accept("17")) : Err{stored.error()};
}

/// A sequencer over a disk, a clock, and one producer that comes and goes.
struct Machine {
    MemoryDisk disk{{"e1"}, {}};
    MemoryFaults faults;
    MemoryStore store{disk, &faults};
    Sequencer sequencer;
    ProducerId id{std::string(32, 'a')};
    SessionRef session;
    delivery::ProducerEpoch epoch = 0;
    Instant now{Millis{1'000'000}};
    UnixMillis wall_clock{1'000'000'000};
    std::uint32_t ready = 0;  // questions answered

    Machine()
        : sequencer(store, {{"say", say}},
                    {.lease = lease, .answers = {{"ready?", [this](auto&, auto&, auto&) {
                                                      ++ready;
                                                      return Result<void, StoreError>();
                                                  }}}}) {
        sequencer.start();
        sequencer.handle_timeout(now, wall_clock);
        pass(Millis{10'000});
    }

    void attach(SessionRef from, const char* user = "", delivery::Sequence kept_from = 1) {
        session = from;
        handle(Attach{from, {id, ProducerSecret(std::string(32, 'b'))}, user, kept_from});
        for (const auto& mail : end_batch()) {
            if (const auto* attached = std::get_if<Attached>(&mail)) epoch = attached->epoch;
        }
    }
    void handle(ToSequencer mail) { sequencer.handle_mail(std::move(mail), now, wall_clock); }
    std::vector<FromSequencer> end_batch() {
        sequencer.commit(now);
        std::vector<FromSequencer> mails;
        while (auto output = sequencer.poll_output()) mails.push_back(std::move(output->mail));
        return mails;
    }
    std::vector<FromSequencer> offer(delivery::Sequence sequence, const std::string& data,
                                     delivery::Digest digest) {
        Submit::ProducerKey key{id, epoch, sequence, digest};
        handle(Submit{session, "/", data, "scope", key, std::nullopt});
        return end_batch();
    }
    /// The verdicts it was given.
    std::vector<Verdict> send(delivery::Sequence sequence,
                              const std::string& data = R"(["say",1])") {
        for (const auto& mail : offer(sequence, data, sequence * 7)) {
            if (const auto* settled = std::get_if<Settled>(&mail)) return settled->verdicts;
        }
        return {};
    }
    /// Lets time pass, timer by timer, on both clocks.
    void pass(Millis time) {
        const Instant end = now + time;
        while (const auto due = sequencer.next_timeout()) {
            if (*due > end) break;
            advance(*due);
            sequencer.handle_timeout(now, wall_clock);
        }
        advance(end);
    }
    void advance(Instant to) {
        wall_clock.value += (to - now).count();
        now = to;
    }
    std::size_t verdicts() { return disk.tables.verdicts[id].size(); }
};

const std::vector<Verdict> unknown{outcome_unknown()};
const std::vector<Verdict> accepted{accept("17")};

}  // namespace

TEST_CASE("after the lease nobody knows what was told, and nothing is stored twice") {
    Machine machine;
    machine.attach(first);
    CHECK(machine.send(1) == accepted);
    CHECK(machine.send(2) == accepted);
    machine.handle(Detach{first});
    machine.pass(lease);
    CHECK(machine.verdicts() == 2);
    machine.pass(Millis{60'000});
    CHECK(machine.verdicts() == 0);
    CHECK(machine.sequencer.counts().leases_ended == 1);

    machine.attach(second);
    CHECK(machine.send(1) == unknown);
    CHECK(machine.send(2) == unknown);
    CHECK(machine.send(2) == unknown);
    CHECK(machine.sequencer.counts().outcomes_unknown == 3);
    CHECK(machine.disk.tables.log.size() == 2);
    SECTION("what is new is stored as usual, and its verdict is known") {
        CHECK(machine.send(3) == accepted);
        CHECK(machine.send(3) == accepted);
        CHECK(machine.disk.tables.log.size() == 3);
        CHECK(machine.disk.tables.producers[machine.id].forgotten == 2);
    }
    SECTION("the lane is still its owner's") {
        machine.handle(Attach{{0, 3}, {machine.id, ProducerSecret("another")}});
        const auto mails = machine.end_batch();
        CHECK(std::get<AttachRefused>(mails.at(0)).reason == "bad_secret");
    }
}

TEST_CASE("what was forgotten is known again by its digest, if that is kept under another number") {
    Machine machine;
    machine.attach(first);
    CHECK(machine.send(1) == accepted);
    machine.handle(Detach{first});
    machine.pass(lease + Millis{60'000});
    machine.attach(second);
    CHECK(machine.send(2) == accepted);
    const auto mails = machine.offer(1, R"(["say",1])", 14);
    CHECK(std::get<Settled>(mails.at(0)).verdicts == accepted);
}

// The database was replaced by an older copy, its sender sent message 8 on, and the lease ended.
TEST_CASE("a number stands for the same message in the copy of a database as in what it replaces") {
    Machine machine;
    machine.attach(first, "", 8);
    CHECK(machine.send(8) == accepted);
    CHECK(machine.send(9) == accepted);
    CHECK(machine.disk.tables.producers[machine.id].seen.last == 9);
    SECTION("so what was stored is known by it, or known to be forgotten") {
        machine.handle(Detach{first});
        machine.attach(second, "", 8);
        CHECK(machine.send(8) == accepted);
        machine.handle(Detach{second});
        machine.pass(lease + Millis{60'000});
        machine.attach(first, "", 8);
        CHECK(machine.send(8) == unknown);
        CHECK(machine.disk.tables.log.size() == 2);
    }
    SECTION("a number that was passed over cannot be used any more: its message is new here") {
        const auto mails = machine.offer(7, R"(["say",7])", 49);
        REQUIRE(mails.size() == 1);
        CHECK(std::get<Conflict>(mails[0]).last == 9);
        CHECK(machine.sequencer.counts().outcomes_unknown == 0);
    }
    SECTION("all its verdicts are forgotten in one step, however many numbers were passed over") {
        machine.handle(Detach{first});
        machine.attach(second, "", delivery::Sequence{1} << 52);
        CHECK(machine.send(delivery::Sequence{1} << 52) == accepted);
        machine.handle(Detach{second});
        machine.pass(lease + Millis{60'000});
        CHECK(machine.verdicts() == 0);
        CHECK(machine.sequencer.counts().leases_ended == 1);
    }
}

TEST_CASE("numbers that were passed over and never used are not kept") {
    Machine machine;
    machine.attach(first, "", 8);
    machine.handle(Detach{first});
    machine.attach(second);
    CHECK(machine.send(1) == accepted);
}

TEST_CASE("whoever is there is not away, however long they say nothing") {
    Machine machine;
    machine.attach(first);
    CHECK(machine.send(1) == accepted);
    machine.pass(lease + Millis{60'000});
    CHECK(machine.send(1) == accepted);
    SECTION("and from when they were last seen there the lease is counted") {
        machine.handle(Detach{first});
        machine.pass(lease - Millis{120'000});
        machine.attach(second);
        CHECK(machine.send(1) == accepted);
    }
    SECTION("one who was refused does not count") {
        machine.handle(Detach{first});
        machine.end_batch();
        machine.handle(Attach{second, {machine.id, ProducerSecret("another")}});
        machine.end_batch();
        machine.pass(lease + Millis{120'000});
        CHECK(machine.verdicts() == 0);
    }
    CHECK(machine.disk.tables.log.size() == 1);
}

TEST_CASE("a server that was down for long gives everybody the time to come back") {
    Machine machine;
    machine.attach(first);
    CHECK(machine.send(1) == accepted);
    machine.wall_clock.value += 2 * lease.count();

    MemoryStore again(machine.disk);
    Sequencer restarted(again, {}, {.lease = lease});
    restarted.start();
    restarted.handle_timeout(machine.now, machine.wall_clock);
    const auto next = restarted.next_timeout();
    REQUIRE(next);
    CHECK(*next >= machine.now + Millis{5'000});
    CHECK(machine.verdicts() == 1);
    restarted.handle_timeout(*next, machine.wall_clock);
    CHECK(machine.verdicts() == 0);
}

TEST_CASE("many verdicts are forgotten in small transactions") {
    Machine machine;
    machine.attach(first);
    for (delivery::Sequence i = 1; i <= 600; ++i) CHECK(machine.send(i) == accepted);
    machine.handle(Detach{first});
    machine.end_batch();
    machine.wall_clock.value += 2 * lease.count();
    machine.advance(*machine.sequencer.next_timeout());
    for (const std::size_t left : {344u, 88u, 0u}) {
        machine.sequencer.handle_timeout(machine.now, machine.wall_clock);
        CHECK(machine.verdicts() == left);
        CHECK((*machine.sequencer.next_timeout() == machine.now) == (left > 0));
    }
    CHECK(machine.sequencer.counts().leases_ended == 1);
}

TEST_CASE("a lease that could not be ended is ended later") {
    Machine machine;
    machine.attach(first);
    CHECK(machine.send(1) == accepted);
    machine.handle(Detach{first});
    machine.end_batch();
    machine.wall_clock.value += 2 * lease.count();
    machine.advance(*machine.sequencer.next_timeout());
    SECTION("who is away cannot be found, or the batch is refused") {
        machine.faults.fail_call = GENERATE(1, 2);
        machine.sequencer.handle_timeout(machine.now, machine.wall_clock);
    }
    SECTION("the commit fails") {
        machine.faults.next_commit = MemoryFaults::Commit::fails_and_vanishes;
        machine.sequencer.handle_timeout(machine.now, machine.wall_clock);
    }
    CHECK(machine.verdicts() == 1);
    CHECK(machine.sequencer.counts().leases_ended == 0);
    machine.pass(Millis{120'000});
    CHECK(machine.verdicts() == 0);
    CHECK(machine.sequencer.counts().leases_ended == 1);
}

TEST_CASE("an answer is never unknown: its question is there, or over") {
    Machine machine;
    const std::string answer = R"(["oncewire:answer","e1.1",[]])";
    machine.attach(first);
    CHECK(machine.send(1, R"(["say","ask"])").size() == 1);
    SECTION("it was given") {
        CHECK(machine.send(2, answer) == std::vector{accept()});
        CHECK(machine.ready == 1);
    }
    SECTION("the number was another message's, of a sender whose storage was put back") {
        CHECK(machine.send(2) == accepted);
        CHECK(machine.ready == 0);
    }
    machine.handle(Detach{first});
    machine.pass(lease + Millis{60'000});
    machine.attach(second);
    CHECK(machine.send(2, answer) == std::vector{accept()});
    CHECK(machine.send(2, answer) == std::vector{accept()});
    CHECK(machine.ready == 1);
    CHECK(machine.disk.tables.questions.empty());
    CHECK(machine.disk.tables.producers[machine.id].seen.last == 2);
}

TEST_CASE("a handler cannot say that nobody knows") {
    Machine machine;
    machine.attach(first);
    const auto verdicts = machine.send(1, R"(["say","reject"])");
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].kind == Verdict::Kind::rejected);
    CHECK_FALSE(delivery::is_outcome_unknown(verdicts[0].body));
    CHECK(delivery::is_outcome_unknown(outcome_unknown().body));
    CHECK_FALSE(delivery::is_outcome_unknown("null"));
    CHECK_FALSE(delivery::is_outcome_unknown(R"("outcome_unknown")"));
}

TEST_CASE("what a message published is kept with its verdict") {
    Machine machine;
    machine.attach(first);
    machine.send(1);
    machine.send(2, R"(["say","reject"])");
    machine.send(3);
    const auto published = [&machine](delivery::Sequence sequence) {
        return machine.disk.tables.verdicts[machine.id].at(sequence).published;
    };
    CHECK(published(1) == Publication{1, 1});
    CHECK(published(2) == Publication{2, 0});
    CHECK(published(3) == Publication{2, 1});
    machine.offer(4, R"(["say",1])", 7);  // the first, under another number
    CHECK(published(4) == Publication{1, 1});
}

}  // namespace store_leases_test
