// A connection that only reads, beside the store's own.
#include <catch2/catch.hpp>

#include <memory>
#include <string>

#include "server/store/sqlite/store.hpp"
#include "tests/unit/store/contract.hpp"
#include "tests/unit/store/sqlite/disk.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace store_reading_sqlite_test {

using namespace oncewire;
using namespace oncewire::store;
using oncewire::test::append;
using oncewire::test::commit_one;
using oncewire::test::SqliteDisk;
using oncewire::test::StoreUser;
using oncewire::test::TemporaryDirectory;

namespace {

struct Machine {
    TemporaryDirectory directory;
    std::string path = directory.file("chat.db");
    std::unique_ptr<SqliteStore> store = std::move(*SqliteStore::open(path, {"e1"}));
    std::unique_ptr<Reading> reading = store->open_reading();
    StoreUser user{*store};

    /// How many entries there are to see.
    std::size_t seen() {
        const auto entries = reading->read({"/,a"}, 0, 1000, 1u << 20);
        REQUIRE(entries);
        return entries->size();
    }
};

}  // namespace

TEST_CASE("who reads beside the store sees what is committed, as it was when they looked") {
    Machine machine;
    commit_one(machine.user, "/,a", "1");
    REQUIRE(machine.user.begin());
    REQUIRE(append(machine.user, "/,a", "2"));
    const auto head = machine.reading->look();
    REQUIRE(head);
    CHECK(*head == LogHead{{"e1"}, 1});
    CHECK(machine.seen() == 1);
    REQUIRE(machine.user.commit() == WriteOutcome::committed);
    CHECK(machine.seen() == 1);
    CHECK(machine.reading->read_before("/,a", 100, 10, 1u << 20)->size() == 1);
    CHECK_FALSE(*machine.reading->find_entry("/,a", 2));
    machine.reading->let_go();
    CHECK(machine.reading->look()->offset == 2);
    CHECK(machine.seen() == 2);
    CHECK((*machine.reading->find_entry("/,a", 2))->before == 1);
    CHECK_FALSE(*machine.reading->find_entry("/,b", 2));
    machine.reading->let_go();
}

TEST_CASE("who reads beside the store changes nothing") {
    Machine machine;
    REQUIRE(machine.user.prepare_application({{"", {"CREATE TABLE notes (text TEXT)"}}}));
    REQUIRE(machine.reading->look());
    CHECK(machine.reading->run_sql("SELECT count(*) FROM notes", {})->size() == 1);
    const auto changed = machine.reading->run_sql("INSERT INTO notes VALUES ('x')", {});
    REQUIRE_FALSE(changed);
    CHECK_FALSE(changed.error().store);
    CHECK_FALSE(machine.reading->run_sql("SELECT * FROM log", {}));
    machine.reading->let_go();
}

TEST_CASE("who looks holds up the writer's erasing, and nothing else") {
    Machine machine;
    commit_one(machine.user, "/,a", R"(["said","secret"])");
    REQUIRE(machine.reading->look());
    REQUIRE(machine.user.begin());
    REQUIRE(*machine.user.rewrite("/,a", 1, R"(["said","other"])"));
    REQUIRE(machine.user.commit() == WriteOutcome::committed);
    CHECK_FALSE(*machine.store->erase_traces());
    machine.reading->let_go();
    CHECK(*machine.store->erase_traces());
}

TEST_CASE("what a failed commit left is known when nobody else has the file open") {
    TemporaryDirectory directory;  // for what stands beside the database
    SqliteDisk disk;
    auto store = std::move(*SqliteStore::open(directory.file("chat.db"), {"e1"},
                                              {.free_bytes_min = 0, .ballast_bytes = 0}));
    const auto reading = store->open_reading();
    StoreUser user(*store);
    commit_one(user, "/,a", "1");
    REQUIRE(reading->look());
    reading->let_go();
    REQUIRE(append(user, "/,a", "2"));
    disk.fail({.countdown = 1, .only_syncs = true});
    REQUIRE(user.commit() == WriteOutcome::unknown);
    CHECK(reading->look()->offset == 1);
    reading->let_go();
    disk.heal();
    REQUIRE(store->reopen());
    const auto head = reading->look();
    REQUIRE(head);
    CHECK(*head == store->head());
    reading->let_go();
}

TEST_CASE("a database in memory has nobody beside it") {
    auto store = std::move(*SqliteStore::open(":memory:", {"e1"}));
    CHECK_FALSE(store->open_reading());
}

}  // namespace store_reading_sqlite_test
