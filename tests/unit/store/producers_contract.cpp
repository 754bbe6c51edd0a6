// What every store promises about producers and what they were told.
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>

#include "tests/unit/store/contract.hpp"

namespace oncewire::test {
namespace {

using store::StoredVerdict;
using store::WriteOutcome;

void check_producers(StoreMachine& machine) {
    const auto largest = std::numeric_limits<std::uint64_t>::max();

    SECTION("a producer's row is found as it was put last, after a restart too") {
        StoreUser& store = machine.store();
        CHECK_FALSE(store.find_producer(ProducerId("p"))->has_value());
        store::ProducerRow row = producer("p");
        CHECK(store.begin());
        CHECK(store.put_producer(row));
        row.epoch = largest;
        row.seen = {std::uint64_t{1} << 53, largest};
        row.last_contact = {-1};
        row.user = "ann";
        CHECK(store.put_producer(row));
        CHECK(**store.find_producer(ProducerId("p")) == row);
        CHECK(store.commit() == WriteOutcome::committed);
        machine.restart();
        CHECK(**machine.store().find_producer(ProducerId("p")) == row);
        CHECK_FALSE(machine.store().find_producer(ProducerId("q"))->has_value());
    }

    SECTION("a verdict is found by producer and sequence, after a restart too") {
        const StoredVerdict accepted{largest, store::accept(R"({"id":1})")};
        const StoredVerdict rejected{7, store::reject("too_long", "shorten it")};
        const ProducerId id("p");
        CHECK(machine.store().begin());
        CHECK(machine.store().put_verdict(id, 1, accepted));  // the row may follow
        CHECK(machine.store().put_verdict(id, 2, rejected));
        CHECK(**machine.store().find_verdict(id, 1) == accepted);
        CHECK(machine.store().put_producer(producer("p", 2)));
        CHECK(machine.store().commit() == WriteOutcome::committed);
        for (int i = 0; i < 2; ++i) {
            CHECK(**machine.store().find_verdict(id, 1) == accepted);
            CHECK(**machine.store().find_verdict(id, 2) == rejected);
            CHECK_FALSE(machine.store().find_verdict(id, 3)->has_value());
            CHECK_FALSE(machine.store().find_verdict(ProducerId("q"), 1)->has_value());
            machine.restart();
        }
    }

    SECTION(
        "a rolled back producer and its verdicts are unknown, and leave nothing to the next one") {
        StoreUser& store = machine.store();
        CHECK(store.begin());
        CHECK(store.put_producer(producer("p", 1)));
        CHECK(store.put_verdict(ProducerId("p"), 1, {1, store::accept()}));
        store.rollback();
        CHECK_FALSE(store.find_producer(ProducerId("p"))->has_value());
        CHECK_FALSE(store.find_verdict(ProducerId("p"), 1)->has_value());
        CHECK(store.begin());
        CHECK(store.put_producer(producer("q")));
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK_FALSE(store.find_verdict(ProducerId("q"), 1)->has_value());
    }
}

void check_leases(StoreMachine& machine) {
    StoreUser& store = machine.store();
    const ProducerId ann("ann");
    const ProducerId bob("bob");
    const auto contacts = [&store](const char* name, delivery::Sequence last, std::int64_t at) {
        store::ProducerRow row = producer(name, last);
        row.last_contact = {at};
        for (delivery::Sequence i = 1; i <= last; ++i) {
            CHECK(store.put_verdict(row.identity.id, i, {i * 7, store::accept()}));
        }
        CHECK(store.put_producer(row));
    };
    const auto idle = [&store](std::int64_t until, std::uint32_t count = many) {
        return *store.idle_producers({until}, count);
    };
    const auto forget = [&store](const ProducerId& id, std::uint32_t count) {
        CHECK(store.begin());
        store.forget_verdicts(id, count);
        CHECK(store.commit() == WriteOutcome::committed);
        return store.written();
    };
    CHECK(store.begin());
    contacts("bob", 3, 200);
    contacts("ann", 5, 100);
    contacts("eve", 0, 50);
    CHECK(store.commit() == WriteOutcome::committed);
    CHECK(idle(200) == std::vector{ann, bob});

    SECTION("whoever has verdicts and was away is found, the longest away first") {
        CHECK(idle(99).empty());
        CHECK(idle(100) == std::vector{ann});
        CHECK(idle(1'000) == std::vector{ann, bob});
        CHECK(idle(1'000, 1) == std::vector{ann});
    }
    SECTION("who was in contact again is not") {
        CHECK(store.begin());
        store.renew_producer(ann, {300});
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK(idle(250) == std::vector{bob});
        machine.restart();
        CHECK((*machine.store().find_producer(ann))->last_contact.value == 300);
        CHECK(*machine.store().idle_producers({300}, many) == std::vector{bob, ann});
    }
    SECTION("verdicts go, the oldest first, and the row stays and says how far") {
        const auto some = forget(ann, 2);
        CHECK(some.leases_ended == 0);
        CHECK_FALSE(some.are_leases_ended);
        CHECK_FALSE(*store.find_verdict(ann, 2));
        CHECK_FALSE(store.find_by_digest(ann, 14)->verdict);
        CHECK(*store.find_verdict(ann, 3));
        CHECK((*store.find_producer(ann))->forgotten == 2);
        CHECK(idle(100) == std::vector{ann});
        const auto rest = forget(ann, many);
        CHECK(rest.leases_ended == 1);
        CHECK(rest.are_leases_ended);
        CHECK(idle(1'000) == std::vector{bob});
        machine.restart();
        auto& again = machine.store();
        const auto row = *again.find_producer(ann);
        CHECK(row->seen == delivery::HighWater{5, 35});
        CHECK(row->forgotten == 5);
        CHECK_FALSE(*again.find_verdict(ann, 5));
        CHECK(*again.find_verdict(bob, 1));
    }
    SECTION("several leases end in one batch, one after the other, as far as its verdicts go") {
        CHECK(store.begin());
        store.forget_verdicts(bob, 4);
        store.forget_verdicts(ann, 4);
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK(store.written().leases_ended == 1);
        CHECK_FALSE(store.written().are_leases_ended);
        CHECK_FALSE(*store.find_verdict(bob, 3));
        CHECK_FALSE(*store.find_verdict(ann, 1));
        CHECK(*store.find_verdict(ann, 2));
        CHECK(forget(ann, 4).are_leases_ended);
        CHECK(idle(1'000).empty());
    }
    SECTION("what is stored after that is kept, and found by its digest") {
        forget(ann, many);
        store::ProducerRow row = **store.find_producer(ann);
        row.seen = {6, 42};
        CHECK(store.put_verdict(ann, 6, {42, store::accept(), store::Publication{1, 2}}));
        CHECK(store.put_producer(row));
        CHECK(store.commit() == WriteOutcome::committed);
        machine.restart();
        CHECK((*machine.store().find_producer(ann))->forgotten == 5);
        CHECK(machine.store().find_by_digest(ann, 42)->verdict->published ==
              store::Publication{1, 2});
        CHECK(*machine.store().idle_producers({100}, many) == std::vector{ann});
    }
    SECTION("a batch that is dropped forgets nothing, and nor does the next") {
        CHECK(store.begin());
        store.forget_verdicts(ann, many);
        store.rollback();
        commit_one(store, "/,a", "1");
        CHECK(*store.find_verdict(ann, 1));
        CHECK((*store.find_producer(ann))->forgotten == 0);
    }
}

void check_digests(StoreMachine& machine) {
    StoreUser& store = machine.store();
    const ProducerId ann("ann");
    const auto say = [&store, &ann](delivery::Sequence from, delivery::Sequence last) {
        CHECK(store.begin());
        for (auto i = from; i <= last; ++i)
            CHECK(store.put_verdict(ann, i, {i * 7, store::accept()}));
        CHECK(store.put_producer(producer("ann", last)));
        CHECK(store.commit() == WriteOutcome::committed);
    };
    SECTION("whoever has few verdicts is ready for being looked for by digest") {
        say(1, 5);
        const auto found = store.find_by_digest(ann, 28);
        CHECK(found->is_ready);
        CHECK(found->verdict->digest == 28);
        for (const auto& [who, digest] : {std::pair(ann, 29), {ProducerId("nobody"), 28}}) {
            const auto none = store.find_by_digest(who, static_cast<delivery::Digest>(digest));
            CHECK(none->is_ready);
            CHECK_FALSE(none->verdict);
        }
    }
    SECTION("whoever has many becomes ready, some at a time, and stays so") {
        say(1, 2'500);
        int batches = 0;
        while (!store.find_by_digest(ann, 28)->is_ready) {
            CHECK_FALSE(store.find_by_digest(ann, 28)->verdict);
            REQUIRE(++batches < 10);
            CHECK(store.begin());
            store.prepare_digests(ann, 500);
            store.prepare_digests(ProducerId("nobody"), 500);
            CHECK(store.commit() == WriteOutcome::committed);
        }
        machine.restart();
        StoreUser& again = machine.store();
        for (const delivery::Digest digest : {7, 28, 7 * 2'500}) {
            const auto found = again.find_by_digest(ann, digest);
            CHECK(found->is_ready);
            REQUIRE(found->verdict);
            CHECK(found->verdict->digest == digest);
        }
        CHECK_FALSE(again.find_by_digest(ann, 29)->verdict);
        CHECK(again.begin());
        CHECK(again.put_verdict(ann, 2'501, {42'000, store::accept(), std::nullopt}));
        CHECK(again.put_producer(producer("ann", 2'501)));
        CHECK(again.find_by_digest(ann, 42'000)->verdict);
        CHECK(again.commit() == WriteOutcome::committed);
        CHECK(again.find_by_digest(ann, 42'000)->verdict);
        CHECK(again.find_by_digest(ann, 7)->verdict);
        CHECK(again.begin());
        again.forget_verdicts(ann, 1);
        CHECK(again.commit() == WriteOutcome::committed);
        CHECK_FALSE(again.find_by_digest(ann, 7)->verdict);
        CHECK(again.find_by_digest(ann, 14)->verdict);
    }
}

}  // namespace

void check_producers_contract(StoreMachine& machine) {
    SECTION("rows") { check_producers(machine); }
    SECTION("leases") { check_leases(machine); }
    SECTION("digests") { check_digests(machine); }
}

}  // namespace oncewire::test
