#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/base/limits.hpp"

namespace store_sequencer_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;

namespace {

/// A sequencer over a disk that can fail, and one attached producer.
struct Machine {
    MemoryDisk disk{{"e1"}, {}};
    MemoryFaults faults;
    MemoryStore store{disk, &faults};
    Sequencer sequencer{store, {{"say", [](Tx& tx, const Message& message) {
                                     const auto text = std::string(message.args.at(0));
                                     auto published = tx.publish("room", "[\"say\"," + text + ']');
                                     if (!published) {
                                         return Result<Verdict, StoreError>(Err{published.error()});
                                     }
                                     return Result<Verdict, StoreError>(accept());
                                 }}}};
    SessionRef session{0, 1};
    ProducerId id{std::string(32, 'a')};
    delivery::ProducerEpoch epoch = 0;

    Machine() {
        sequencer.start();
        handle(Attach{session, {id, ProducerSecret(std::string(32, 'b'))}});
        for (const auto& mail : end_batch()) {
            if (const auto* attached = std::get_if<Attached>(&mail)) epoch = attached->epoch;
        }
    }
    void handle(ToSequencer mail) { sequencer.handle_mail(std::move(mail), Instant{}, {}); }
    void submit(delivery::Sequence sequence, std::string data = R"(["say",1])") {
        Submit::ProducerKey key{id, epoch, sequence, sequence * 7};
        handle(Submit{session, "/", std::move(data), "scope", key, std::nullopt});
    }
    std::vector<FromSequencer> end_batch() {
        sequencer.commit(Instant{});
        std::vector<FromSequencer> mails;
        while (auto output = sequencer.poll_output()) mails.push_back(std::move(output->mail));
        return mails;
    }
};

template <class Mail>
long count(const std::vector<FromSequencer>& mails) {
    return std::count_if(mails.begin(), mails.end(),
                         [](const auto& mail) { return std::holds_alternative<Mail>(mail); });
}

}  // namespace

TEST_CASE("a resent message whose verdict cannot be read is asked for again, not forgotten") {
    Machine machine;
    machine.submit(1);
    CHECK(count<Settled>(machine.end_batch()) == 1);

    machine.faults.reads = StoreError::io;
    machine.submit(1);
    const auto answers = machine.end_batch();
    CHECK(count<Settled>(answers) == 0);
    CHECK(count<RetryLater>(answers) == 1);

    machine.faults.reads.reset();
    machine.submit(1);
    CHECK(count<Settled>(machine.end_batch()) == 1);
    CHECK(machine.disk.tables.log.size() == 1);
}

namespace {

/// Every handler that can be told which entry to take back: `["hush", OFFSET, accepts]`.
struct Hushing {
    MemoryDisk disk{{"e1"}, {}};
    MemoryFaults faults;
    MemoryStore store{disk, &faults};
    Sequencer sequencer{
        store,
        {{"say",
          [](Tx& tx, const Message& message) -> Result<Verdict, StoreError> {
              const auto text = std::string(message.args.at(0));
              const auto published = tx.publish("room", "[\"say\"," + text + ']');
              if (!published) return Err{published.error()};
              return accept();
          }},
         {"hush", [](Tx& tx, const Message& message) -> Result<Verdict, StoreError> {
              const auto offset = std::stoull(std::string(message.args.at(0)));
              const auto done = tx.rewrite("room", offset, R"(["say",""])");
              if (!done) return Err{done.error()};
              return message.args.at(1) == "true" ? accept() : reject("no", "not this one");
          }}}};
    Instant now;

    void submit(std::string data) {
        sequencer.handle_mail(
            Submit{{0, 1}, "/", std::move(data), "scope", std::nullopt, std::nullopt}, now, {});
    }
    std::vector<LogEntry> end_batch() {
        sequencer.commit(now);
        std::vector<LogEntry> told;
        while (auto output = sequencer.poll_output()) {
            const auto* published = std::get_if<Published>(&output->mail);
            if (published) told = *published->entries;
        }
        return told;
    }
    void wait(Millis time) {
        now += time;
        sequencer.handle_timeout(now, {});
    }
};

}  // namespace

TEST_CASE("what is rewritten before it was told is told as it is by then") {
    Hushing machine;
    machine.submit(R"(["say","one"])");
    machine.submit(R"(["say","two"])");
    machine.submit(R"(["hush",1,true])");
    machine.submit(R"(["hush",2,false])");
    const auto told = machine.end_batch();
    REQUIRE(told.size() == 2);
    CHECK(told[0].data == R"(["say",""])");
    CHECK(told[1].data == R"(["say","two"])");
    CHECK(machine.disk.tables.log == told);
    CHECK(machine.sequencer.counts().rewritten == 1);
}

TEST_CASE("files are rid of what was rewritten soon, and once a second at most") {
    Hushing machine;
    machine.wait(Millis(1));  // what the process before may have left
    CHECK(machine.sequencer.counts().erasures == 1);
    machine.submit(R"(["say","one"])");
    machine.end_batch();
    machine.wait(Millis(5'000));
    CHECK(machine.sequencer.counts().erasures == 1);
    for (int times = 0; times < 10; ++times) {
        machine.submit(R"(["hush",1,true])");
        machine.end_batch();
        machine.wait(Millis(100));
    }
    CHECK(machine.sequencer.counts().erasures == 2);
    CHECK(*machine.sequencer.next_timeout() == Instant(Millis(6'101)));
    machine.wait(Millis(100));
    CHECK(machine.sequencer.counts().erasures == 3);
    CHECK(!machine.sequencer.next_timeout());
}

TEST_CASE("whoever leaves out a number is told once from where to send again") {
    Machine machine;
    machine.submit(3);
    machine.submit(4);
    CHECK(count<Expect>(machine.end_batch()) == 1);
    machine.submit(1);
    machine.submit(3);
    CHECK(count<Expect>(machine.end_batch()) == 1);
    CHECK(machine.disk.tables.log.size() == 1);
}

TEST_CASE("an outbox that one user has sent from is refused to everybody else") {
    Machine machine;
    const delivery::ProducerIdentity outbox{machine.id, ProducerSecret(std::string(32, 'b'))};
    const auto answer = [&](const std::string& user) -> std::string {
        machine.handle(Attach{machine.session, outbox, user});
        const auto mails = machine.end_batch();
        const auto* refused = std::get_if<AttachRefused>(&mails.at(0));
        if (refused) return refused->reason;
        machine.epoch = std::get<Attached>(mails.at(0)).epoch;
        return "";
    };
    machine.submit(1);
    machine.end_batch();
    CHECK(answer("ann") == "");  // a guest so far
    CHECK(answer("bob") == "other_user");
    machine.handle(Detach{machine.session});
    CHECK(answer("bob") == "");  // she has sent nothing
    machine.submit(2);
    machine.end_batch();
    machine.handle(Detach{machine.session});
    CHECK(machine.disk.tables.producers.at(machine.id).user == "bob");
    CHECK(answer("ann") == "other_user");
    CHECK(answer("") == "other_user");
    CHECK(answer("bob") == "");
}

TEST_CASE("a message larger than was announced is rejected for good, and the next goes on") {
    Machine machine;
    const auto of_size = [](std::size_t bytes) {
        return R"(["say",")" + std::string(bytes - 10, 'x') + "\"]";
    };
    machine.submit(1, of_size(limits::durable_message_bytes + 1));
    machine.submit(2, of_size(limits::durable_message_bytes));
    std::vector<Verdict> verdicts;
    for (const auto& mail : machine.end_batch()) {
        const auto* settled = std::get_if<Settled>(&mail);
        if (settled)
            verdicts.insert(verdicts.end(), settled->verdicts.begin(), settled->verdicts.end());
    }
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[0].kind == Verdict::Kind::rejected);
    CHECK(verdicts[0].body.find("too_large") != std::string::npos);
    CHECK(verdicts[1].kind == Verdict::Kind::accepted);
    CHECK(machine.disk.tables.log.size() == 1);
}

TEST_CASE("while the store is to be reopened, whoever asks does not put that off") {
    Machine machine;
    machine.faults.reopen = StoreError::io;
    machine.faults.next_commit = MemoryFaults::Commit::fails_and_vanishes;
    machine.submit(1);
    machine.end_batch();
    machine.faults.reopen.reset();
    const auto due = machine.sequencer.next_timeout();
    REQUIRE(due);
    machine.handle(Attach{machine.session, {machine.id, ProducerSecret(std::string(32, 'b'))}});
    machine.submit(1);
    machine.handle(TaskEnded{1, true});
    machine.end_batch();
    CHECK(machine.sequencer.next_timeout() == due);
    machine.sequencer.handle_timeout(*due, {});
    CHECK(machine.sequencer.next_timeout() != due);
}

}  // namespace store_sequencer_test
