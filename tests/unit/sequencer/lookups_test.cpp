// Questions that are only read for: nobody's message waits for them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "server/mail/feed.hpp"
#include "server/sequencer/sequencer.hpp"
#include "server/store/memory/memory_store.hpp"

namespace store_lookups_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;
using Answer = Result<Verdict, StoreError>;

namespace {

Answer say(Tx& tx, const Message&) {
    const auto said = tx.publish("room", "[\"said\",\"" + std::string(32'000, 'x') + "\"]");
    if (!said) return Err{said.error()};
    return accept();
}

/// Reads 256 KiB, over and over.
Answer look(Tx& tx, const Message& message) {
    for (int i = 0; i < 5; ++i) {
        const auto entries = tx.read_before("room", 1000, 1000);
        if (!entries) return Err{entries.error()};
    }
    return accept(std::string(message.args.at(0)));
}

Answer scribble(Tx& tx, const Message&) {
    const auto said = tx.publish("room", "[\"said\"]");
    if (!said) return Err{said.error()};
    return accept();
}

struct Machine {
    MemoryDisk disk{{"e1"}, {}};
    MemoryFaults faults;
    MemoryStore store{disk, &faults};
    Sequencer sequencer{store,
                        {{"say", say}, {"look", look}, {"scribble", scribble}},
                        {.recovery = {},
                         .retention = {},
                         .lease = {},
                         .answers = {},
                         .lookups = {"look", "scribble"}}};

    Machine() {
        sequencer.start();
        for (int i = 0; i < 20; ++i) submit(9, R"(["say"])", std::nullopt);
        end_batch();
    }
    void submit(std::uint64_t session, std::string data, std::optional<socketio::AckId> ack_id) {
        sequencer.handle_mail(
            Submit{{0, session}, "/", std::move(data), "scope", std::nullopt, ack_id}, Instant{},
            {});
    }
    void ask(std::uint64_t session, socketio::AckId ack_id) {
        submit(session, "[\"look\"," + std::to_string(ack_id) + ']', ack_id);
    }
    /// The acknowledgements that went out, as session * 1000 + id.
    std::vector<std::uint64_t> answers() {
        std::vector<std::uint64_t> ids;
        while (auto output = sequencer.poll_output()) {
            if (const auto* answered = std::get_if<Answered>(&output->mail))
                ids.push_back(answered->to.session * 1000 + answered->ack_id);
        }
        return ids;
    }
    std::vector<std::uint64_t> end_batch() {
        sequencer.commit(Instant{});
        return answers();
    }
    std::vector<std::uint64_t> step() {
        sequencer.handle_timeout(Instant{}, {});
        return answers();
    }
};

using Ids = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a message waits for one step of lookups at most, however many were asked before it") {
    Machine machine;
    for (socketio::AckId id = 1; id <= 60; ++id) machine.ask(1, id);
    machine.submit(2, R"(["say"])", 7);
    CHECK(machine.end_batch() == Ids{2007, 1001});
    CHECK(machine.sequencer.next_timeout() == Instant{});
    machine.submit(2, R"(["say"])", 8);
    CHECK(machine.end_batch() == Ids{2008, 1002});
    for (std::uint64_t id = 3; id <= 60; ++id) CHECK(machine.step() == Ids{1000 + id});
    CHECK(machine.step().empty());
    CHECK_FALSE(machine.sequencer.next_timeout() == Instant{});
}

TEST_CASE("each session's lookups come in turn") {
    Machine machine;
    for (socketio::AckId id = 1; id <= 3; ++id) machine.ask(1, id);
    machine.ask(2, 1);
    machine.ask(3, 1);
    Ids order = machine.end_batch();
    while (order.size() < 5) {
        for (const auto id : machine.step()) order.push_back(id);
    }
    CHECK(order == Ids{1001, 2001, 3001, 1002, 1003});
}

TEST_CASE("nothing is read for who has left, or does not want to know") {
    Machine machine;
    for (socketio::AckId id = 1; id <= 60; ++id) machine.ask(1, id);
    machine.submit(2, R"(["look",1])", std::nullopt);
    machine.sequencer.handle_mail(Detach{{0, 1}}, Instant{}, {});
    CHECK(machine.end_batch().empty());
    CHECK(machine.sequencer.reader_counts().looked_up == 0);
    CHECK(machine.sequencer.reader_counts().lookups_dropped == 60);
}

TEST_CASE("a lookup cannot write") {
    Machine machine;
    const auto head = machine.store.head();
    machine.submit(1, R"(["scribble"])", 1);
    CHECK(machine.end_batch().empty());
    CHECK(machine.store.head() == head);
}

TEST_CASE("a lookup that comes with a number is rejected, and its answer not kept") {
    Machine machine;
    const ProducerId id{std::string(32, 'a')};
    machine.sequencer.handle_mail(Attach{{0, 5}, {id, ProducerSecret(std::string(32, 'b'))}},
                                  Instant{}, {});
    machine.end_batch();
    machine.sequencer.handle_mail(
        Submit{
            {0, 5}, "/", R"(["look",1])", "scope", Submit::ProducerKey{id, 1, 1, 77}, std::nullopt},
        Instant{}, {});
    machine.sequencer.commit(Instant{});
    const auto output = machine.sequencer.poll_output();
    REQUIRE(output);
    const auto* settled = std::get_if<Settled>(&output->mail);
    REQUIRE(settled);
    CHECK(settled->verdicts.at(0).body.find("not_stored") != std::string::npos);
    CHECK(machine.sequencer.reader_counts().looked_up == 0);
}

TEST_CASE("lookups go on while nothing can be stored") {
    Machine machine;
    machine.faults.writes = StoreError::full;
    machine.submit(2, R"(["say"])", 1);
    machine.end_batch();
    machine.ask(1, 1);
    CHECK(machine.end_batch() == Ids{1001});
}

// ---- a reader apart ------------------------------------------------------------------------------

namespace {

/// A sequencer that leaves far pages and lookups to a reader, and that reader.
struct Apart {
    MemoryDisk disk{{"e1"}, {}};
    MemoryStore store{disk};
    MemoryReading reading{disk};
    Sequencer sequencer{store,
                        {{"say", say}, {"look", look}},
                        {.recovery = {},
                         .retention = {},
                         .lease = {},
                         .answers = {},
                         .lookups = {"look"},
                         .reads_apart_from = 10}};
    Reader reader{reading, {.is_apart = true, .lookups = {{"look", look}}}};

    explicit Apart(int entries) {
        sequencer.start();
        for (int i = 0; i < entries; ++i) submit(R"(["say"])", std::nullopt);
        sequencer.commit(Instant{});
        take();
    }
    void submit(std::string data, std::optional<socketio::AckId> ack_id) {
        sequencer.handle_mail(Submit{{0, 1}, "/", std::move(data), "scope", std::nullopt, ack_id},
                              Instant{}, {});
    }
    void read(delivery::Offset after) {
        sequencer.handle_mail(ReadPage{{0, 1}, {"/,room"}, after}, Instant{}, {});
        sequencer.commit(Instant{});
    }
    /// What the sequencer itself says.
    std::vector<FromSequencer> take() {
        std::vector<FromSequencer> letters;
        while (auto output = sequencer.poll_output()) letters.push_back(std::move(output->mail));
        return letters;
    }
    std::size_t forward() {
        std::size_t count = 0;
        for (; auto question = sequencer.poll_reader_mail(); ++count)
            reader.handle_mail(std::move(*question));
        return count;
    }
};

}  // namespace

TEST_CASE(
    "a page that begins far from the head is read apart, and never says that the head is reached") {
    Apart apart(10);
    apart.read(0);
    CHECK(apart.take().empty());
    CHECK(apart.forward() == 1);
    apart.reader.step({});
    const auto output = apart.reader.poll_output();
    REQUIRE(output);
    const auto* page = std::get_if<Page>(&output->mail);
    REQUIRE(page);
    CHECK(page->entries->size() == 8);  // 256 KiB
    CHECK_FALSE(page->reached_head);
    apart.read(page->end);
    CHECK(apart.forward() == 0);
    const auto letters = apart.take();
    REQUIRE(letters.size() == 1);
    CHECK(std::get<Page>(letters[0]).reached_head);
}

TEST_CASE("a lookup is handed on when what was sent before it is committed") {
    Apart apart(0);
    apart.submit(R"(["say"])", 1);
    apart.submit(R"(["look",1])", 2);
    CHECK(apart.forward() == 0);
    apart.sequencer.commit(Instant{});
    CHECK(apart.forward() == 1);
    apart.reader.step({});
    CHECK(apart.reader.counts().looked_up == 1);
    CHECK(apart.reader.poll_output());
}

TEST_CASE("what a full core is answered makes it ask again") {
    const auto page = mail::ask_again(Page{{0, 7}, nullptr, 9, {}, false, false, false, 0, 5});
    CHECK(std::get<Page>(page).failed);
    CHECK(std::get<Page>(page).end == 5);
    CHECK(std::get<Page>(page).entries->empty());
    const auto later = mail::ask_again(Answered{{0, 7}, 3, accept()});
    CHECK(std::get<RetryLater>(later).ack_id == 3);
    CHECK(std::holds_alternative<Cut>(mail::ask_again(Cut{{0, 7}})));
}

TEST_CASE("a reader is told who has left, if it has heard of them") {
    Apart apart(0);
    apart.submit(R"(["look",1])", 1);
    for (const std::uint64_t session : {1u, 2u})
        apart.sequencer.handle_mail(Detach{{0, session}}, Instant{}, {});
    apart.sequencer.commit(Instant{});
    CHECK(apart.forward() == 2);
    CHECK_FALSE(apart.reader.has_work());
    CHECK(apart.reader.counts().lookups_dropped == 1);
}

}  // namespace store_lookups_test
