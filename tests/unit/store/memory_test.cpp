#include <catch2/catch.hpp>
#include <optional>

#include "server/store/memory/memory_store.hpp"
#include "tests/unit/store/contract.hpp"

namespace store_memory_test {

using namespace oncewire;
using namespace oncewire::store;
using oncewire::test::append;
using oncewire::test::commit_one;
using oncewire::test::read_all;
using oncewire::test::StoreUser;

namespace {

class MemoryMachine final : public test::StoreMachine {
  public:
    MemoryMachine() { restart(); }
    StoreUser& store() override { return *user_; }
    void restart() override {
        user_.reset();
        store_.emplace(disk, &faults);
        user_.emplace(*store_);
    }

    MemoryDisk disk{{"first"}, {}};
    MemoryFaults faults;

  private:
    std::optional<MemoryStore> store_;
    std::optional<StoreUser> user_;
};

}  // namespace

TEST_CASE("the reference model is a store") {
    MemoryMachine machine;
    test::check_store_contract(machine);
    CHECK(machine.store().durability() == Durability::disk);
}

TEST_CASE("a commit that fails is unknown, whether the bytes landed or not") {
    MemoryMachine machine;
    StoreUser& store = machine.store();
    commit_one(store, "/,a", "1");
    const bool lands = GENERATE(false, true);
    machine.faults.next_commit =
        lands ? MemoryFaults::Commit::fails_and_lands : MemoryFaults::Commit::fails_and_vanishes;
    CHECK(store.begin());
    CHECK(append(store, "/,a", "2"));
    CHECK(store.commit() == WriteOutcome::unknown);

    SECTION("until reopen() nothing but the head of before can be seen, and nothing be done") {
        CHECK(store.head().offset == 1);
        CHECK(test::error_writing(store.store()) == StoreError::io);
        CHECK(store.find_producer(ProducerId("p")).error() == StoreError::io);
        CHECK(store.read({"/,a"}, 0, 1, 1).error() == StoreError::io);
        store.rollback();
        CHECK(test::error_writing(store.store()) == StoreError::io);
    }
    SECTION("a reopen() that fails changes nothing") {
        machine.faults.reopen = StoreError::busy;
        CHECK(store.reopen().error() == StoreError::busy);
        CHECK(test::error_writing(store.store()) == StoreError::io);
        CHECK(store.head().offset == 1);
    }
    SECTION("reopen() tells") {
        CHECK(store.reopen());
        CHECK(store.head().offset == (lands ? 2 : 1));
        CHECK(read_all(store, {"/,a"}).size() == (lands ? 2 : 1));
        commit_one(store, "/,a", "again");
    }
    SECTION("so does a restart") {
        machine.restart();
        CHECK(machine.store().head().offset == (lands ? 2 : 1));
    }
}

TEST_CASE("a question that fails changes nothing of its batch") {
    MemoryMachine machine;
    StoreUser& store = machine.store();
    CHECK(append(store, "/,a", "1"));
    machine.faults.fail_call = 2;
    machine.faults.fail_call_with = StoreError::full;
    CHECK_FALSE(store.find_producer(ProducerId("p"))->has_value());
    CHECK(append(store, "/,b", "2").error() == StoreError::full);
    CHECK(append(store, "/,a", "2"));
    CHECK(store.commit() == WriteOutcome::committed);
    CHECK(read_all(store, {"/,a", "/,b"}).size() == 2);
}

TEST_CASE("of a batch that is refused nothing is there, and the next one is written") {
    MemoryMachine machine;
    StoreUser& store = machine.store();
    CHECK(append(store, "/,a", "1"));
    CHECK(store.put_producer(test::producer("p")));
    machine.faults.fail_call = 1;
    machine.faults.fail_call_with = StoreError::full;
    CHECK(store.commit() == WriteOutcome::refused);
    CHECK(store.written().error == StoreError::full);
    CHECK(store.head().offset == 0);
    CHECK(machine.disk.tables == MemoryTables());
    commit_one(store, "/,a", "3");
    CHECK(read_all(store, {"/,a"}).front().room_seq == 1);
}

TEST_CASE("of two writers on one disk only the newer one writes") {
    MemoryMachine machine;
    StoreUser& older = machine.store();
    commit_one(older, "/,a", "1");
    CHECK(append(older, "/,a", "too late"));
    MemoryStore store(machine.disk);
    StoreUser newer(store);
    const bool has_written = GENERATE(false, true);
    if (has_written) commit_one(newer, "/,a", "2");
    const MemoryDisk before = machine.disk;

    SECTION("what the older one has begun is not stored, nor what it tries again") {
        for (int i = 0; i < 2; ++i) {
            CHECK(older.commit() == WriteOutcome::moved);
            CHECK(machine.disk == before);
            CHECK(older.store().head().offset == 1);
            CHECK(append(older, "/,a", "too late"));
        }
        commit_one(newer, "/,b", "3");
    }
    SECTION("also when it hears nothing of what became of it") {
        machine.faults.next_commit = GENERATE(MemoryFaults::Commit::fails_and_lands,
                                              MemoryFaults::Commit::fails_and_vanishes);
        CHECK(older.commit() != WriteOutcome::committed);
        CHECK(machine.disk == before);
    }
    SECTION("a batch of a process that is gone comes too late") {
        Batch batch;
        batch.from = machine.disk.head();
        batch.to = batch.from.offset;
        CHECK(machine.disk.write(batch, before.fence - 1).outcome == WriteOutcome::moved);
        CHECK(machine.disk.write(batch, before.fence).outcome == WriteOutcome::committed);
    }
    SECTION("the older one becomes the writer by opening again") {
        CHECK(older.reopen());
        CHECK(older.head() == before.head());
        commit_one(older, "/,a", "again");
        CHECK(append(newer, "/,a", "too late"));
        CHECK(newer.commit() == WriteOutcome::moved);
        CHECK(read_all(older, {"/,a"}).back().data == "again");
    }
}

TEST_CASE("lasting faults last until they are mended") {
    MemoryMachine machine;
    StoreUser& store = machine.store();
    commit_one(store, "/,a", "1");

    machine.faults.writes = StoreError::full;
    for (int i = 0; i < 2; ++i) {
        CHECK(append(store, "/,a", "never"));
        CHECK(store.commit() == WriteOutcome::refused);
        CHECK(store.written().error == StoreError::full);
    }
    CHECK(read_all(store, {"/,a"}).size() == 1);
    machine.faults.writes.reset();
    commit_one(store, "/,a", "2");

    machine.faults.reads = StoreError::io;
    CHECK(store.read({"/,a"}, 0, 1, 1).error() == StoreError::io);
    machine.faults.reads.reset();
    CHECK(read_all(store, {"/,a"}).size() == 2);
}

TEST_CASE("a restored backup is another history") {
    MemoryMachine machine;
    commit_one(machine.store(), "/,a", "1");
    const MemoryDisk backup = machine.disk;
    commit_one(machine.store(), "/,a", "2");

    machine.disk = backup;
    machine.disk.epoch = {"second"};
    machine.restart();
    CHECK(machine.store().head() == LogHead{{"second"}, 1});
    CHECK(read_all(machine.store(), {"/,a"}).size() == 1);
}

}  // namespace store_memory_test
