#include <catch2/catch.hpp>
#include <memory>

#include "server/store/memory/memory_store.hpp"
#include "tests/unit/store/contract.hpp"

namespace store_memory_test {

using namespace oncewire;
using namespace oncewire::store;
using oncewire::test::append;
using oncewire::test::commit_one;
using oncewire::test::read_all;

namespace {

class MemoryMachine final : public test::StoreMachine {
  public:
    MemoryMachine() { restart(); }
    Store& store() override { return *store_; }
    void restart() override {
        store_.reset();
        store_ = std::make_unique<MemoryStore>(disk, &faults);
    }

    MemoryDisk disk{{"first"}, {}};
    MemoryFaults faults;

  private:
    std::unique_ptr<MemoryStore> store_;
};

}  // namespace

TEST_CASE("the reference model is a store") {
    MemoryMachine machine;
    test::check_store_contract(machine);
    CHECK(machine.store().durability() == Durability::disk);
}

TEST_CASE("the reference model keeps sessions") {
    MemoryMachine machine;
    test::check_sessions_contract(machine);
}

TEST_CASE("a commit that fails is unknown, whether the bytes landed or not") {
    MemoryMachine machine;
    Store& store = machine.store();
    commit_one(store, "/,a", "1");
    const bool lands = GENERATE(false, true);
    machine.faults.next_commit =
        lands ? MemoryFaults::Commit::fails_and_lands : MemoryFaults::Commit::fails_and_vanishes;
    CHECK(store.begin());
    CHECK(append(store, "/,a", "2"));
    CHECK(store.commit() == CommitOutcome::unknown);

    SECTION("until reopen() nothing but what was committed before can be seen, or done") {
        CHECK(store.head().offset == 1);
        CHECK(read_all(store, {"/,a"}).size() == 1);
        CHECK(store.begin().error() == StoreError::io);
        CHECK(store.find_producer(ProducerId("p")).error() == StoreError::io);
        store.rollback();
        CHECK(store.begin().error() == StoreError::io);
    }
    SECTION("a reopen() that fails changes nothing") {
        machine.faults.reopen = StoreError::busy;
        CHECK(store.reopen().error() == StoreError::busy);
        CHECK(store.begin().error() == StoreError::busy);
        CHECK(store.head().offset == 1);
        CHECK(read_all(store, {"/,a"}).size() == 1);
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

TEST_CASE("a call that fails spoils its transaction until it is rolled back") {
    MemoryMachine machine;
    Store& store = machine.store();
    CHECK(store.begin());
    CHECK(append(store, "/,a", "1"));
    machine.faults.fail_call = 2;  // next_room_seq works, append fails
    machine.faults.fail_call_with = StoreError::full;
    CHECK(append(store, "/,a", "2").error() == StoreError::full);
    CHECK(store.find_producer(ProducerId("p")).error() == StoreError::full);

    SECTION("after the roll-back nothing is left of it") {
        store.rollback();
        CHECK(store.head().offset == 0);
        commit_one(store, "/,a", "3");
        CHECK(read_all(store, {"/,a"}).size() == 1);
    }
    SECTION("a commit all the same is unknown, and commits nothing") {
        CHECK(store.commit() == CommitOutcome::unknown);
        CHECK(store.reopen());
        CHECK(store.head().offset == 0);
    }
}

TEST_CASE("lasting faults last until they are mended") {
    MemoryMachine machine;
    Store& store = machine.store();
    commit_one(store, "/,a", "1");

    machine.faults.writes = StoreError::full;
    CHECK(store.begin().error() == StoreError::full);
    CHECK(store.begin().error() == StoreError::full);
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
