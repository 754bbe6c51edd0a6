// What clients are asked: until they answer, and what follows from it once.
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"

namespace store_questions_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;

namespace {

using Handlers = std::map<std::string, DurableHandler, std::less<>>;
using Answer = Result<Verdict, StoreError>;

const ProducerId ann(std::string(32, 'a'));
const ProducerSecret secret(std::string(32, 'c'));

/// ["ask", options] asks its sender ["q",…]; the end of that is published, and fails on "bad".
Answer ask(Tx& tx, const Message& message) {
    AskOptions options;
    if (message.args.size() > 1) options.key = std::string(message.args[1]);
    options.expires_after = Millis{10'000};
    std::string data = "[\"q\"," + std::string(message.args.at(0)) + ']';
    if (message.args.at(0) == "\"long\"") data.append(limits::durable_message_bytes, ' ');
    if (message.args.at(0) == "\"oops\"") data = "[1]";
    const auto asked = tx.ask(message.producer, std::move(data), std::move(options));
    if (!asked) return Err{asked.error()};
    if (message.args.at(0) == "\"no\"") return reject("no", "because");
    return accept(std::to_string(static_cast<int>(asked->outcome)));
}

Answer cancel(Tx& tx, const Message& message) {
    const auto cancelled = tx.cancel(message.args.at(0));
    if (!cancelled) return Err{cancelled.error()};
    return accept(*cancelled ? "true" : "false");
}

Result<void, StoreError> note(Tx& tx, const Question& question, const Reply& reply) {
    const std::string how = reply.expired ? "\"expired\"" : std::string(reply.args.at(0));
    const auto told =
        tx.publish("room", "[\"end\"," + std::string(question.args.at(0)) + ',' + how + ']');
    if (!told) return Err{told.error()};
    if (how == "\"bad\"") return Err{StoreError::handler};
    return {};
}

/// A machine whose process may die, and one client.
struct Machine {
    MemoryDisk disk{{"e1"}, {}};
    MemoryFaults faults;
    std::unique_ptr<MemoryStore> store;
    std::unique_ptr<Sequencer> sequencer;
    SessionRef session{0, 0};
    delivery::ProducerEpoch epoch = 0;
    delivery::Sequence next = 1;
    Instant now{Millis{1'000'000}};
    UnixMillis wall_clock{1'000'000};

    Machine() { restart(); }

    void restart() {
        Sequencer::Options options;
        options.handler_attempts_max = 3;
        options.answers = {{"q", note}};
        store = std::make_unique<MemoryStore>(disk, &faults);
        sequencer = std::make_unique<Sequencer>(*store, Handlers{{"ask", ask}, {"cancel", cancel}},
                                                std::move(options));
        sequencer->start();
        poll();
    }
    void handle(ToSequencer mail) { sequencer->handle_mail(std::move(mail), now, wall_clock); }
    std::vector<FromSequencer> attach() {
        ++session.session;
        handle(Attach{session, {ann, secret}});
        const auto mails = end_batch();
        for (const auto& mail : mails) {
            if (const auto* attached = std::get_if<Attached>(&mail)) epoch = attached->epoch;
        }
        return mails;
    }
    void offer(delivery::Sequence sequence, const std::string& data) {
        Submit::ProducerKey key{ann, epoch, sequence, sequence * 7};
        handle(Submit{session, "/", data, "scope", key, std::nullopt});
    }
    std::vector<FromSequencer> submit(const std::string& data) {
        offer(next++, data);
        return end_batch();
    }
    std::vector<FromSequencer> answer(std::uint64_t number, const std::string& args) {
        return submit(delivery::answer_message("e1." + std::to_string(number), args));
    }
    std::vector<FromSequencer> poll() {
        std::vector<FromSequencer> mails;
        while (auto output = sequencer->poll_output()) mails.push_back(std::move(output->mail));
        return mails;
    }
    std::vector<FromSequencer> end_batch() {
        sequencer->commit(now);
        return poll();
    }
    std::vector<FromSequencer> pass(Millis time) {
        now += time;
        wall_clock.value += time.count();
        sequencer->handle_timeout(now, wall_clock);
        return poll();
    }
    std::vector<std::string> log() const {
        std::vector<std::string> texts;
        for (const auto& entry : disk.tables.log) texts.push_back(entry.data);
        return texts;
    }
};

using Numbers = std::vector<std::uint64_t>;
using Texts = std::vector<std::string>;

/// What a client was asked.
Numbers asked(const std::vector<FromSequencer>& mails) {
    Numbers numbers;
    for (const auto& mail : mails) {
        if (const auto* ask = std::get_if<Ask>(&mail)) numbers.push_back(ask->number);
    }
    return numbers;
}

Verdict verdict(const std::vector<FromSequencer>& mails) {
    for (const auto& mail : mails) {
        if (const auto* settled = std::get_if<Settled>(&mail)) return settled->verdicts.at(0);
    }
    return {Verdict::Kind::rejected, "none"};
}

}  // namespace

TEST_CASE(
    "a question is asked after its commit, again at every attach, and no more when answered") {
    Machine machine;
    CHECK(asked(machine.attach()).empty());
    machine.offer(machine.next++, R"(["ask",1])");
    CHECK(asked(machine.poll()).empty());
    CHECK(asked(machine.end_batch()) == Numbers{1});
    CHECK(asked(machine.submit(R"(["ask",2])")) == Numbers{2});

    CHECK(asked(machine.attach()) == Numbers{1, 2});
    machine.restart();
    CHECK(asked(machine.attach()) == Numbers{1, 2});

    CHECK(asked(machine.answer(1, "[7]")).empty());
    CHECK(machine.log() == Texts{R"(["end",1,7])"});
    CHECK(machine.disk.tables.questions.size() == 1);
    machine.restart();
    CHECK(asked(machine.attach()) == Numbers{2});
}

TEST_CASE("an answer that comes again, or to what is over, is accepted and has no effect") {
    Machine machine;
    machine.attach();
    machine.submit(R"(["ask",1])");
    machine.answer(1, "[7]");
    CHECK(verdict(machine.answer(1, "[8]")).kind == Verdict::Kind::accepted);
    machine.offer(2, delivery::answer_message("e1.1", "[7]"));
    CHECK(verdict(machine.end_batch()).kind == Verdict::Kind::accepted);
    CHECK(verdict(machine.submit(delivery::answer_message("e0.1", "[7]"))).kind ==
          Verdict::Kind::accepted);
    CHECK(verdict(machine.answer(0, "[7]")).kind == Verdict::Kind::accepted);
    CHECK(verdict(machine.answer(99, "[7]")).kind == Verdict::Kind::accepted);
    CHECK(machine.log().size() == 1);
}

TEST_CASE("nobody answers for somebody else") {
    Machine machine;
    machine.attach();
    machine.submit(R"(["ask",1])");
    const ProducerId other(std::string(32, 'd'));
    machine.handle(Attach{{0, 99}, {other, secret}});
    machine.end_batch();
    machine.handle(Submit{{0, 99},
                          "/",
                          delivery::answer_message("e1.1", "[7]"),
                          "s",
                          Submit::ProducerKey{other, 1, 1, 1},
                          std::nullopt});
    machine.end_batch();
    CHECK(machine.log().empty());
    CHECK(machine.disk.tables.questions.size() == 1);
}

TEST_CASE("what a rejected message asked is not asked") {
    Machine machine;
    machine.attach();
    CHECK(asked(machine.submit(R"(["ask","no"])")).empty());
    CHECK(machine.disk.tables.questions.empty());
}

TEST_CASE("a question is taken back by its key, under which it is asked once") {
    Machine machine;
    machine.attach();
    CHECK(asked(machine.submit(R"(["ask",1,5])")) == Numbers{1});
    const auto again = machine.submit(R"(["ask",2,5])");
    CHECK(asked(again).empty());
    CHECK(verdict(again).body == "1");
    CHECK(verdict(machine.submit(R"(["cancel",5])")).body == "true");
    CHECK(verdict(machine.submit(R"(["cancel",5])")).body == "false");
    machine.answer(1, "[7]");
    CHECK(machine.log().empty());
    CHECK(asked(machine.attach()).empty());
    CHECK(asked(machine.submit(R"(["ask",3,5])")) == Numbers{2});
}

TEST_CASE("what expires is told once, and not asked any more") {
    Machine machine;
    machine.attach();
    machine.submit(R"(["ask",1])");
    machine.restart();
    machine.pass(Millis{9'000});
    CHECK(machine.log().empty());
    machine.pass(Millis{1'000});
    CHECK(machine.log() == Texts{R"(["end",1,"expired"])"});
    CHECK(asked(machine.attach()).empty());
    machine.answer(1, "[7]");
    machine.pass(Millis{60'000});
    CHECK(machine.log().size() == 1);
    CHECK(machine.sequencer->counts().expired == 1);
    CHECK_FALSE(machine.sequencer->next_timeout());
}

TEST_CASE("a handler that fails on an answer is tried again, then the question ends without it") {
    Machine machine;
    machine.attach();
    machine.submit(R"(["ask",1])");
    const auto sequence = machine.next++;
    for (int attempt = 1; attempt <= 2; ++attempt) {
        machine.offer(sequence, delivery::answer_message("e1.1", "[\"bad\"]"));
        machine.end_batch();
        CHECK(machine.disk.tables.questions.size() == 1);
    }
    machine.offer(sequence, delivery::answer_message("e1.1", "[\"bad\"]"));
    CHECK(verdict(machine.end_batch()).kind == Verdict::Kind::rejected);
    CHECK(machine.log().empty());
    CHECK(machine.disk.tables.questions.empty());
}

TEST_CASE("only so many questions are on the wire, and so many open") {
    Machine machine;
    machine.attach();
    for (std::uint32_t i = 1; i <= limits::questions_per_client; ++i) {
        const auto mails = machine.submit("[\"ask\"," + std::to_string(i) + ']');
        CHECK(asked(mails).size() == (i <= limits::questions_window ? 1u : 0u));
    }
    const auto one_more = machine.submit(R"(["ask",0])");
    CHECK(verdict(one_more).body == std::to_string(static_cast<int>(Asked::Outcome::too_many)));
    CHECK(asked(machine.answer(3, "[7]")) == Numbers{limits::questions_window + 1});
    CHECK(asked(machine.attach()).size() == limits::questions_window);
}

TEST_CASE("stock clients cannot be asked, and nothing too long") {
    Machine machine;
    machine.attach();
    machine.handle(Submit{{0, 9}, "/", R"(["ask",1])", "scope", std::nullopt, 5});
    for (const auto& mail : machine.end_batch()) {
        if (const auto* answered = std::get_if<Answered>(&mail))
            CHECK(answered->verdict.body ==
                  std::to_string(static_cast<int>(Asked::Outcome::nobody)));
    }
    const auto too_large = machine.submit(R"(["ask","long"])");
    CHECK(machine.disk.tables.questions.empty());
    CHECK(verdict(too_large).body == std::to_string(static_cast<int>(Asked::Outcome::too_large)));
}

TEST_CASE("what is no event is the handler's mistake, and nobody is asked it") {
    Machine machine;
    machine.attach();
    machine.submit(R"(["ask","oops"])");
    CHECK(machine.disk.tables.questions.empty());
    CHECK(machine.sequencer->counts().handler_failures == 1);
}

TEST_CASE("nobody is asked what a commit that failed may have stored, until it is known") {
    Machine machine;
    machine.attach();
    machine.submit(R"(["ask",1])");
    using Commit = MemoryFaults::Commit;
    SECTION("it was") {
        machine.faults.next_commit = Commit::fails_and_lands;
        machine.submit(R"(["ask",2])");
        CHECK(asked(machine.attach()) == Numbers{1, 2});
    }
    SECTION("it was not") {
        machine.faults.next_commit = Commit::fails_and_vanishes;
        machine.submit(R"(["ask",2])");
        CHECK(asked(machine.attach()) == Numbers{1});
    }
    SECTION("the end of one, either") {
        machine.faults.next_commit = Commit::fails_and_vanishes;
        machine.answer(1, "[7]");
        CHECK(asked(machine.attach()) == Numbers{1});
        machine.next = 2;
        machine.answer(1, "[7]");
        CHECK(machine.log().size() == 1);
    }
}

TEST_CASE("questions are read again when the disk could not be") {
    Machine machine;
    machine.attach();
    machine.submit(R"(["ask",1])");
    machine.handle(Attach{{0, 50}, {ann, secret}});
    machine.faults.reads = StoreError::io;
    CHECK(asked(machine.end_batch()).empty());
    machine.faults.reads.reset();
    CHECK(asked(machine.pass(Millis{1'000})) == Numbers{1});
}

}  // namespace store_questions_test
