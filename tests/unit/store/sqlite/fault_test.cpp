#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "server/store/sqlite/store.hpp"
#include "tests/unit/store/contract.hpp"
#include "tests/unit/store/sqlite/disk.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace store_sqlite_fault_test {

using namespace oncewire;
using namespace oncewire::store;
using oncewire::test::append;
using oncewire::test::commit_one;
using oncewire::test::producer;
using oncewire::test::read_all;
using oncewire::test::SqliteDisk;
using oncewire::test::StoreUser;
using Fault = SqliteDisk::Fault;

namespace {

/// The bytes are on the SqliteDisk; only the name is taken here, and given back.
struct Name {
    const test::TemporaryDirectory directory;
    const std::string text = directory.file("fault.db");
};

using Opened = Result<std::unique_ptr<SqliteStore>, SqliteStore::OpenError>;

enum class Fate : std::uint8_t { stored, unknown, not_stored };

/// Every eighth is large, so that the write-ahead log soon reaches the 1,000 pages that SQLite empties
/// it at.
std::string text_of(std::uint64_t number) {
    return std::to_string(number) + std::string(number % 8 == 0 ? 400'000 : 0, ' ');
}

/// One message with all that belongs to it, numbered: if one row is there, all must be.
Result<void, StoreError> put_message(StoreUser& store, std::uint64_t number) {
    const std::string text = std::to_string(number);
    const auto offset = store.head().offset + 1;
    if (const auto done = append(store, "/,everybody", text_of(number)); !done)
        return Err{done.error()};
    if (const auto done = append(store, "/,room " + text, text); !done) return Err{done.error()};
    if (const auto done = store.put_once("id " + text, {text, "ann", offset}); !done) return done;
    const auto row = producer("p", number);
    if (const auto done = store.put_verdict(row.identity.id, number, {number, accept(text)});
        !done) {
        return done;
    }
    return store.put_producer(row);
}

Fate try_message(StoreUser& store, std::uint64_t number) {
    if (!put_message(store, number)) {
        store.rollback();
        return Fate::not_stored;
    }
    const auto outcome = store.commit();
    CHECK(outcome != WriteOutcome::moved);
    if (outcome == WriteOutcome::refused) return Fate::not_stored;
    return outcome == WriteOutcome::committed ? Fate::stored : Fate::unknown;
}

Fate try_message(Store& store, std::uint64_t number) {
    StoreUser user(store);
    return try_message(user, number);
}

/// How many messages are there; -1 if any is there in part.
int count_messages(Store& of) {
    StoreUser store(of);
    const auto entries = read_all(store, {"/,everybody"});
    const int count = static_cast<int>(entries.size());
    const auto row = store.find_producer(ProducerId("p"));
    if (!row || (row->has_value() ? static_cast<int>((*row)->seen.last) : 0) != count) return -1;
    if (store.head().offset != 2 * entries.size()) return -1;
    for (int i = 1; i <= count + 1; ++i) {
        const std::string text = std::to_string(i);
        const std::size_t expected = i <= count ? 1 : 0;
        const auto number = static_cast<std::uint64_t>(i);
        if (*store.next_room_seq("/,room " + text) != expected + 1) return -1;
        if (read_all(store, {"/,room " + text}).size() != expected) return -1;
        if (store.find_once("id " + text, "ann", text)->size() != expected) return -1;
        if (store.find_verdict(ProducerId("p"), number)->has_value() != (i <= count)) return -1;
        if (expected && entries[number - 1].data != text_of(number)) return -1;
    }
    return count;
}

void check_count(Store& store, Fate fate, int before) {
    const int count = count_messages(store);
    if (fate == Fate::stored) CHECK(count == before + 1);
    if (fate == Fate::not_stored) CHECK(count == before);
    if (fate == Fate::unknown) CHECK((count == before || count == before + 1));
}

}  // namespace

TEST_CASE(
    "whichever operation of the disk fails once, a transaction is there whole or not at all") {
    const bool full = GENERATE(false, true);
    const bool cold = GENERATE(false, true);  // nothing is cached: reads can fail too
    bool fired = true;
    int unknown = 0;
    int refused = 0;
    for (std::uint64_t n = 1; fired; ++n) {
        INFO("operation " << n << " fails");
        Name name;
        SqliteDisk disk;
        Opened opened = SqliteStore::open(name.text, {"first"});
        REQUIRE(opened);
        CHECK(try_message(**opened, 1) == Fate::stored);
        if (cold) {
            *opened = nullptr;
            opened = SqliteStore::open(name.text, {"second"});
            REQUIRE(opened);
        }
        Store& store = **opened;
        StoreUser user(store);

        disk.fail({.countdown = n, .full = full});
        const Fate fate = try_message(user, 2);
        fired = disk.fired();
        disk.heal();
        refused += fate == Fate::not_stored ? 1 : 0;
        if (fate == Fate::unknown) {
            ++unknown;
            CHECK(store.head().offset == 2);
            CHECK(user.reopen());
        }
        check_count(store, fate, 1);

        // It goes on, and nothing of it is lost with the power.
        const int count = count_messages(store);
        CHECK(try_message(user, static_cast<std::uint64_t>(count) + 1) == Fate::stored);
        *opened = nullptr;
        Prng prng(n);
        disk.lose_power(prng);
        opened = SqliteStore::open(name.text, {"third"});
        REQUIRE(opened);
        CHECK((*opened)->head().epoch.text == "first");
        CHECK(count_messages(**opened) == count + 1);
    }
    CHECK(unknown >= 2);
    CHECK(refused >= (cold ? 2 : 0));
}

TEST_CASE("whichever operation is the machine's last, what was committed is there after it") {
    bool fired = true;
    for (std::uint64_t n = 1; fired; ++n) {
        for (const bool power_lost : {false, true}) {
            INFO("the machine dies at operation " << n << (power_lost ? ", power lost" : ""));
            Name name;
            SqliteDisk disk;
            Opened opened = SqliteStore::open(name.text, {"first"});
            REQUIRE(opened);
            CHECK(try_message(**opened, 1) == Fate::stored);
            *opened = nullptr;

            // From here on: recovery, a transaction, and the clean-up at closing.
            disk.fail({.countdown = n, .and_all_after = true});
            opened = SqliteStore::open(name.text, {"second"});
            Fate fate = Fate::not_stored;
            if (opened) {
                fate = try_message(**opened, 2);
                *opened = nullptr;
            } else {
                CHECK(opened.error().sentence.size() > name.text.size());
            }
            fired = disk.fired();
            disk.heal();
            Prng prng(n);
            if (power_lost) disk.lose_power(prng);

            opened = SqliteStore::open(name.text, {"third"});
            REQUIRE(opened);
            CHECK((*opened)->head().epoch.text == "first");
            check_count(**opened, fate, 1);
        }
    }
}

TEST_CASE("a first start that fails at any operation can be repeated") {
    bool fired = true;
    for (std::uint64_t n = 1; fired; ++n) {
        for (const bool dies : {false, true}) {
            INFO("operation " << n << " fails" << (dies ? ", and all after" : ""));
            Name name;
            SqliteDisk disk;
            disk.fail({.countdown = n, .and_all_after = dies});
            { const Opened failed = SqliteStore::open(name.text, {"first"}); }
            fired = disk.fired();
            disk.heal();
            Prng prng(n);
            if (dies) disk.lose_power(prng);
            const Opened opened = SqliteStore::open(name.text, {"second"});
            REQUIRE(opened);
            CHECK(try_message(**opened, 1) == Fate::stored);
            CHECK(count_messages(**opened) == 1);
        }
    }
}

TEST_CASE("a commit whose fsync failed can be there after a restart, and then is there to stay") {
    Name name;
    SqliteDisk disk;
    Opened opened = SqliteStore::open(name.text, {"first"});
    REQUIRE(opened);
    CHECK(try_message(**opened, 1) == Fate::stored);
    disk.fail({.countdown = 1, .only_syncs = true});
    CHECK(try_message(**opened, 2) == Fate::unknown);
    CHECK(disk.fired());

    // kill -9: nothing is cleaned up.
    disk.fail({.countdown = 1, .and_all_after = true});
    *opened = nullptr;
    disk.heal();
    opened = SqliteStore::open(name.text, {"second"});
    REQUIRE(opened);
    CHECK(count_messages(**opened) == 2);

    // What was seen once must not vanish, although the kernel thinks that it has been written.
    disk.fail({.countdown = 1, .and_all_after = true});
    *opened = nullptr;
    disk.heal();
    Prng prng(1);
    disk.lose_power(prng);
    opened = SqliteStore::open(name.text, {"third"});
    REQUIRE(opened);
    CHECK(count_messages(**opened) == 2);
}

TEST_CASE("as long as fsync fails reopen() fails, and nobody sees anything") {
    Name name;
    SqliteDisk disk;
    Opened opened = SqliteStore::open(name.text, {"first"});
    REQUIRE(opened);
    Store& store = **opened;
    CHECK(try_message(store, 1) == Fate::stored);
    disk.fail({.countdown = 1, .only_syncs = true, .and_all_after = true});
    CHECK(try_message(store, 2) == Fate::unknown);
    CHECK(test::error_writing(store) == StoreError::io);
    CHECK(store.fetch({}).error() == StoreError::io);
    CHECK(store.reading().look().error() == StoreError::io);
    CHECK(store.tables().mark().error() == StoreError::io);
    for (int i = 0; i < 3; ++i) {
        CHECK(store.reopen().error() == StoreError::io);
        CHECK(test::error_writing(store) == StoreError::io);
        CHECK(store.head().offset == 2);
    }
    disk.heal();
    CHECK(store.reopen());
    check_count(store, Fate::unknown, 1);
}

TEST_CASE("a question that could not be answered changes nothing of its batch") {
    Name name;
    SqliteDisk disk;
    CHECK(try_message(**SqliteStore::open(name.text, {"first"}), 1) == Fate::stored);
    const Opened opened = SqliteStore::open(name.text, {"first"});
    REQUIRE(opened);
    StoreUser store(**opened);
    CHECK(put_message(store, 2));
    disk.fail({.countdown = 1});
    CHECK(store.find_once("id 1", "ann", "1").error() == StoreError::io);  // reads a page
    CHECK(disk.fired());
    CHECK(store.find_once("id 1", "ann", "1")->size() == 1);
    CHECK(store.commit() == WriteOutcome::committed);
    CHECK(count_messages(**opened) == 2);
}

TEST_CASE("after an application's statement that failed, nothing of its batch can be stored") {
    Name name;
    SqliteDisk disk;
    const std::vector<SchemaPart> schema{
        {"", {"CREATE TABLE texts (text TEXT)", "INSERT INTO texts VALUES ('before')"}}};
    {
        const Opened opened = SqliteStore::open(name.text, {"first"});
        REQUIRE(opened);
        CHECK((*opened)->tables().prepare(schema));
        CHECK(try_message(**opened, 1) == Fate::stored);
    }
    const Opened opened = SqliteStore::open(name.text, {"first"});
    REQUIRE(opened);
    StoreUser store(**opened);
    CHECK(store.prepare_application(schema));
    const auto count_texts = [&] {
        const auto rows = store.run_sql("SELECT count(*) FROM texts", {});
        return rows ? get<std::int64_t>(rows->front(), 0) : std::nullopt;
    };
    CHECK(put_message(store, 2));
    CHECK(store.run_sql("SELECT 1", {}));
    disk.fail({.countdown = 1});
    CHECK(store.run_sql("INSERT INTO texts VALUES ('never')", {}).error().store == StoreError::io);
    CHECK(disk.fired());
    CHECK(store.run_sql("SELECT 1", {}).error().store == StoreError::io);
    CHECK(store.store().fetch({}).error() == StoreError::io);

    SECTION("because writing it is refused") {
        CHECK(store.commit() == WriteOutcome::refused);
        CHECK(store.written().error == StoreError::io);
    }
    SECTION("nor when it is dropped") { store.rollback(); }
    CHECK(count_messages(**opened) == 1);
    CHECK(count_texts() == 1);
    store.rollback();
    CHECK(try_message(store, 2) == Fate::stored);
    CHECK(count_messages(**opened) == 2);
}

TEST_CASE("on random power loss no committed message is lost, doubled or torn") {
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        INFO("seed " << seed);
        Prng prng(seed);
        Name name;
        SqliteDisk disk;
        int count = 0;
        for (int life = 0; life < 5; ++life) {
            Fate fate = Fate::not_stored;
            {
                const Opened opened = SqliteStore::open(name.text, {"first"});
                REQUIRE(opened);
                count = count_messages(**opened);
                disk.fail({.countdown = 1 + prng.below(prng.chance(1, 3) ? 4000 : 120),
                           .and_all_after = true});
                while (!disk.fired()) {
                    fate = try_message(**opened, static_cast<std::uint64_t>(count) + 1);
                    if (fate == Fate::stored) ++count;
                }
            }
            disk.heal();
            disk.lose_power(prng);
            const Opened opened = SqliteStore::open(name.text, {"second"});
            REQUIRE(opened);
            const int found = count_messages(**opened);
            CHECK(found >= count);
            CHECK(found <= count + (fate == Fate::unknown ? 1 : 0));
        }
        CHECK(count > 0);
    }
}

}  // namespace store_sqlite_fault_test
