// Who is asked to wait before anything of a message is stored.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/base/limits.hpp"

namespace store_admission_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;

namespace {

/// A sequencer that asks everybody to wait while it is told to, with one attached producer.
struct Machine {
    MemoryDisk disk{{"e1"}, {}};
    MemoryStore store{disk};
    bool is_busy = true;
    Millis pause{2'000};
    std::vector<std::string> offers;  // what was asked about
    std::uint32_t handled = 0;
    Sequencer sequencer;
    ProducerId id{std::string(32, 'a')};
    const SessionRef session{0, 1};
    const SessionRef stock{0, 2};
    delivery::ProducerEpoch epoch = 0;
    Instant now{Millis{1'000'000}};

    Machine()
        : sequencer(store,
                    {{"say",
                      [this](Tx&, const Message&) {
                          ++handled;
                          return Result<Verdict, StoreError>(accept());
                      }}},
                    {.admission = [this](const Offer& offer) -> std::optional<Later> {
                        offers.push_back(std::string(offer.data));
                        if (!is_busy) return std::nullopt;
                        return Later{pause, "too_fast", "wait"};
                    }}) {
        sequencer.start();
        handle(Attach{session, {id, ProducerSecret(std::string(32, 'b'))}});
        for (const auto& mail : end_batch()) {
            if (const auto* attached = std::get_if<Attached>(&mail)) epoch = attached->epoch;
        }
    }
    void handle(ToSequencer mail) { sequencer.handle_mail(std::move(mail), now, {}); }
    void submit(delivery::Sequence sequence, std::string data = R"(["say",1])") {
        Submit::ProducerKey key{id, epoch, sequence, sequence * 7};
        handle(Submit{session, "/", std::move(data), "scope", key, std::nullopt});
    }
    void submit_stock(std::optional<socketio::AckId> ack_id) {
        handle(Submit{stock, "/", R"(["say",1])", "scope", std::nullopt, ack_id});
    }
    std::vector<FromSequencer> end_batch() {
        sequencer.commit(now);
        std::vector<FromSequencer> mails;
        while (auto output = sequencer.poll_output()) mails.push_back(std::move(output->mail));
        return mails;
    }
    /// Nothing that would have to be kept for ninety days.
    bool is_disk_empty() {
        return disk.tables.verdicts[id].empty() && !disk.tables.producers.contains(id);
    }
};

}  // namespace

TEST_CASE("who is asked to wait keeps the number, and nothing of the message is stored") {
    Machine machine;
    const auto* data =
        GENERATE(R"(["say",1])", R"(["an event that nobody knows"])", R"(["oncewire:cancelled"])",
                 R"(["oncewire:too_large"])", R"(["oncewire:answer","e1.1",[]])");
    machine.submit(1, data);
    machine.submit(2, data);
    const auto mails = machine.end_batch();
    REQUIRE(mails.size() == 1);  // 2 comes again with 1, without being asked for
    CHECK(std::get<RetryLater>(mails[0]).after == Millis{2'000});
    CHECK(machine.offers == std::vector<std::string>{data});
    CHECK(machine.is_disk_empty());
    CHECK(machine.handled == 0);
    CHECK(machine.sequencer.counts().put_off == 1);

    machine.is_busy = false;
    machine.now += Millis{2'000};
    machine.submit(1, data);
    machine.submit(2, data);
    const auto later = machine.end_batch();
    REQUIRE(later.size() == 1);
    CHECK(std::get<Settled>(later[0]).verdicts.size() == 2);
}

TEST_CASE("nobody is asked about what has its verdict, or is out of turn") {
    Machine machine;
    machine.is_busy = false;
    machine.submit(1);
    machine.end_batch();
    machine.is_busy = true;
    machine.offers.clear();
    machine.submit(1);
    machine.submit(3);
    const auto mails = machine.end_batch();
    REQUIRE(mails.size() == 2);
    CHECK(std::holds_alternative<Settled>(mails[0]));
    CHECK(std::get<Expect>(mails[1]).sequence == 2);
    CHECK(machine.offers.empty());
}

TEST_CASE("a stock client hears why it is refused, if it asked for an answer") {
    Machine machine;
    machine.submit_stock(std::nullopt);
    CHECK(machine.end_batch().empty());
    machine.submit_stock(7);
    const auto mails = machine.end_batch();
    REQUIRE(mails.size() == 1);
    CHECK(std::get<Answered>(mails[0]).verdict == reject("too_fast", "wait"));
    CHECK(machine.handled == 0);
}

TEST_CASE("what the application says itself is always stored") {
    Machine machine;
    Submit own{machine.stock, "/", R"(["say",1])", "scope", std::nullopt, 7};
    own.is_applications = true;
    machine.handle(own);
    CHECK(machine.end_batch().size() == 1);
    CHECK(machine.handled == 1);
    CHECK(machine.offers.empty());
}

TEST_CASE("a pause is at least a millisecond and at most what a client believes") {
    Machine machine;
    machine.pause = GENERATE(Millis{-5}, Millis{86'400'000});
    machine.submit(1);
    const auto after = std::get<RetryLater>(machine.end_batch().at(0)).after;
    CHECK(after >= Millis{1});
    CHECK(after <= limits::retry_later_max);
}

TEST_CASE("whoever goes on without waiting is cut off; whoever waits never is") {
    Machine machine;
    std::vector<FromSequencer> mails;
    SECTION("one of ours") {
        for (std::uint32_t i = 0; i < limits::pauses_ignored_max; ++i) {
            machine.submit(1);
            mails = machine.end_batch();
            REQUIRE(std::holds_alternative<RetryLater>(mails.at(0)));
        }
        machine.submit(1);
        mails = machine.end_batch();
        CHECK(std::holds_alternative<Cut>(mails.at(0)));
        CHECK(machine.is_disk_empty());
    }
    SECTION("a stock client, even if it wants no answers") {
        for (std::uint32_t i = 0; i < limits::pauses_ignored_max; ++i)
            machine.submit_stock(std::nullopt);
        CHECK(machine.end_batch().empty());
        machine.submit_stock(std::nullopt);
        mails = machine.end_batch();
        CHECK(std::get<Cut>(mails.at(0)).to == machine.stock);
    }
    SECTION("one that waits") {
        for (std::uint32_t i = 0; i < 3 * limits::pauses_ignored_max; ++i) {
            machine.submit(1);
            mails = machine.end_batch();
            REQUIRE(std::holds_alternative<RetryLater>(mails.at(0)));
            machine.now += Millis{2'000};
        }
    }
    CHECK(machine.sequencer.counts().cut_off == (std::holds_alternative<Cut>(mails.at(0)) ? 1 : 0));
}

}  // namespace store_admission_test
