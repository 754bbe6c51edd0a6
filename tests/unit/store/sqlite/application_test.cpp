// An application's own tables, inside the transaction that stores its message.
#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/sequencer/transaction.hpp"
#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/migrations.hpp"
#include "server/store/sqlite/store.hpp"
#include "tests/unit/store/contract.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace store_application_sqlite_test {

using namespace oncewire;
using namespace oncewire::sequencer;
using namespace oncewire::store;

namespace {

const std::vector<std::string> schema = {
    "CREATE TABLE accounts (name TEXT PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0)) "
    "STRICT"};

/// A database with the application's tables, and a transaction in it.
struct Bench {
    test::TemporaryDirectory directory;
    std::string path = directory.file("shop.db");
    std::unique_ptr<SqliteStore> store = open();
    std::optional<Overlay> overlay{std::in_place, *store};
    Tx tx{*overlay, "/", "key", UnixMillis{1}};

    std::unique_ptr<SqliteStore> open() const {
        auto opened = SqliteStore::open(path, {"first"}, {.ballast_bytes = 0});
        REQUIRE(opened);
        return std::move(*opened);
    }
    Bench() { REQUIRE(prepare(schema)); }
    void close() {
        overlay.reset();
        store.reset();
    }
    Result<void, std::string> prepare(const std::vector<std::string>& steps) {
        return store->tables().prepare({{"", steps}});
    }
    Result<std::vector<SqlRow>, SqlError> run(const std::string& statement) {
        return store->tables().run(statement, {});
    }
    std::int64_t count() {
        const auto rows = tx.sql("SELECT count(*) FROM accounts");
        REQUIRE(rows);
        return get<std::int64_t>(rows->at(0), 0).value_or(-1);
    }
};

}  // namespace

TEST_CASE("values go in and come out as they are, whatever is in them") {
    Bench bench;
    const std::string odd = "Robert'); DROP TABLE accounts;--";
    CHECK(bench.tx.sql("INSERT INTO accounts VALUES (?1, ?2)", odd, 7));
    const auto rows =
        bench.tx.sql("SELECT name, cents, 1.5, NULL, ?2, ?3 FROM accounts WHERE name = ?1", odd,
                     std::optional<int>(), nullptr);
    REQUIRE(rows);
    REQUIRE(rows->size() == 1);
    const SqlRow& row = rows->front();
    CHECK(get<std::string>(row, 0) == odd);
    CHECK(get<std::int64_t>(row, 1) == 7);
    CHECK(get<double>(row, 2) == 1.5);
    for (const std::size_t column : {3u, 4u, 5u}) {
        CHECK(std::holds_alternative<std::monostate>(row[column]));
    }
    CHECK_FALSE(get<std::string>(row, 1));
    CHECK_FALSE(get<std::string>(row, 9));
}

TEST_CASE("a broken constraint is the statement's trouble, and the transaction goes on") {
    Bench bench;
    CHECK(bench.tx.sql("INSERT INTO accounts VALUES ('ann', 5)"));
    const auto error = bench.tx.sql("UPDATE accounts SET cents = cents - 6").error();
    CHECK(error.is_constraint);
    CHECK_FALSE(error.store);
    CHECK(error.reason.find("CHECK constraint failed") != std::string::npos);
    CHECK(bench.tx.sql("UPDATE accounts SET cents = cents - 5"));
    CHECK(bench.overlay->write().outcome == WriteOutcome::committed);
    bench.close();
    bench.store = bench.open();
    CHECK(bench.prepare(schema));
    CHECK(bench.run("SELECT 1 FROM accounts WHERE cents = 0")->size() == 1);
}

TEST_CASE("what a message wrote is undone with it") {
    Bench bench;
    CHECK(bench.tx.sql("INSERT INTO accounts VALUES ('ann', 5)"));
    bench.overlay->mark();
    Tx next(*bench.overlay, "/", "next", UnixMillis{1});
    CHECK(next.sql("INSERT INTO accounts VALUES ('bob', 5)"));
    CHECK(next.publish("room", "[\"sold\"]"));
    CHECK(bench.count() == 2);
    CHECK(bench.overlay->undo());
    CHECK(bench.count() == 1);
    CHECK(bench.overlay->head().offset == 0);
    CHECK(bench.overlay->write().outcome == WriteOutcome::committed);
    CHECK(bench.count() == 1);
}

TEST_CASE("a message that ran no statement undoes none of another's") {
    Bench bench;
    CHECK(bench.tx.sql("INSERT INTO accounts VALUES ('ann', 5)"));
    bench.overlay->mark();
    CHECK(bench.overlay->undo());
    CHECK(bench.count() == 1);
}

TEST_CASE("what was done in the tables is stored with its batch, or not at all") {
    Bench bench;
    CHECK(bench.tx.sql("INSERT INTO accounts VALUES ('ann', 5)"));
    SECTION("dropped") { bench.overlay->drop(); }
    SECTION("with a batch that is not at the head") {
        Batch batch;
        batch.from = {{"first"}, 7};
        batch.to = 7;
        CHECK(bench.store->write(batch).outcome == WriteOutcome::moved);
    }
    SECTION("when the store is opened again") { CHECK(bench.overlay->reopen()); }
    CHECK(bench.count() == 0);
    CHECK(bench.tx.sql("INSERT INTO accounts VALUES ('bob', 5)"));
    CHECK(bench.tx.publish("room", "[\"sold\"]"));
    CHECK(bench.overlay->write().outcome == WriteOutcome::committed);
    bench.close();
    bench.store = bench.open();
    CHECK(bench.store->head().offset == 1);
    CHECK(bench.run("SELECT name FROM accounts")->size() == 1);
}

TEST_CASE("what is fetched is what is committed, whatever an application does meanwhile") {
    Bench bench;
    CHECK(bench.tx.sql("INSERT INTO accounts VALUES ('ann', 5)"));
    CHECK(bench.tx.publish("room", "[\"sold\"]"));
    Wanted wanted;
    wanted.rooms.push_back("/,room");
    CHECK(bench.store->fetch(wanted)->rooms.front() == RoomHead());
    CHECK(bench.store->head().offset == 0);
    CHECK(bench.overlay->write().outcome == WriteOutcome::committed);
    CHECK(bench.store->fetch(wanted)->rooms.front() == RoomHead{1, 1});
}

TEST_CASE("neither our tables nor the transaction are an application's to touch") {
    Bench bench;
    for (const std::string_view table : sqlite::own_tables) {
        const std::string name(table);
        INFO(name);
        for (const std::string& statement :
             {"SELECT * FROM " + name, "DELETE FROM " + name, "DROP TABLE " + name,
              "SELECT (SELECT count(*) FROM " + name + ")"}) {
            const auto result = bench.run(statement);
            REQUIRE_FALSE(result);
            CHECK_FALSE(result.error().store);
        }
    }
    for (const char* statement :
         {"COMMIT", "ROLLBACK", "SAVEPOINT x", "RELEASE message", "PRAGMA user_version = 7",
          "ATTACH '/tmp/x' AS x", "VACUUM", "CREATE TABLE more (x)", "DROP TABLE accounts",
          "INSERT OR ROLLBACK INTO accounts VALUES ('ann', -1)", "DELETE FROM sqlite_schema",
          "SELECT 1; SELECT 2", "", "SELEC 1",
          "CREATE TRIGGER t AFTER INSERT ON accounts BEGIN DELETE FROM accounts; END"}) {
        INFO(statement);
        CHECK_FALSE(bench.run(statement));
    }
    CHECK(bench.tx.sql("INSERT INTO accounts VALUES ('ann', 5) ; "));
    CHECK(bench.count() == 1);
    CHECK(bench.overlay->write().outcome == WriteOutcome::committed);
}

TEST_CASE("the list of our tables is all of them") {
    Bench bench;
    bench.close();
    auto database = sqlite::Database::open(bench.path);
    REQUIRE(database);
    const auto names = database->prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name <> 'accounts'");
    REQUIRE(names);
    for (sqlite::Run run(*names); run.has_row(); run.step()) {
        const std::string name = run.text(0);
        INFO(name);
        CHECK(std::count(std::begin(sqlite::own_tables), std::end(sqlite::own_tables), name) == 1);
    }
}

TEST_CASE("an application's tables are brought forward once, all steps or none") {
    Bench bench;
    auto steps = schema;
    steps.push_back("ALTER TABLE accounts ADD COLUMN city TEXT");
    CHECK(bench.prepare(steps));
    CHECK(bench.prepare(steps));
    CHECK(bench.run("SELECT city FROM accounts"));

    const auto older = bench.prepare(schema);
    REQUIRE_FALSE(older);
    CHECK(older.error().find("a newer version of the application") != std::string::npos);

    steps.push_back("CREATE TABLE more (x)");
    steps.push_back("CREATE TABLE log (x)");
    const auto failed = bench.prepare(steps);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().find("step 4") != std::string::npos);
    CHECK_FALSE(bench.run("SELECT * FROM more"));
}

TEST_CASE("a statement that was run and is another now is noticed") {
    Bench bench;
    auto steps = schema;
    steps[0] += " ";
    steps.push_back("CREATE TABLE more (x)");
    const auto changed = bench.prepare(steps);
    REQUIRE_FALSE(changed);
    CHECK(changed.error() ==
          "the statement that made the application's tables, step 1, is not what it was when it "
          "was run: leave it as it was, and add what is new as a further one");
    CHECK_FALSE(bench.run("SELECT * FROM more"));
}

TEST_CASE("components have their own versions, in one transaction") {
    Bench bench;
    const SchemaPart own{"", schema}, pictures{"pictures", {"CREATE TABLE pictures (id)"}};
    SchemaPart later = pictures;
    later.statements.push_back("CREATE INDEX by_id ON pictures (id)");
    CHECK(bench.store->tables().prepare({own, pictures}));
    CHECK(bench.store->tables().prepare({pictures, own}));
    CHECK(bench.store->tables().prepare({own}));  // one that is gone keeps its tables
    CHECK(bench.store->tables().prepare({later, own}));
    const auto older = bench.store->tables().prepare({own, pictures});
    REQUIRE_FALSE(older);
    CHECK(older.error().find("of pictures") != std::string::npos);

    const SchemaPart good{"good", {"CREATE TABLE good (x)"}}, bad{"bad", {"CREATE TABLE log (x)"}};
    const auto failed = bench.store->tables().prepare({good, bad});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().find("step 1 of \"bad\"") != std::string::npos);
    CHECK_FALSE(bench.run("SELECT * FROM good"));
}

TEST_CASE(
    "what an older version ran is its heir's: the application's own, or the first component's") {
    Bench bench;
    bench.close();
    {
        auto database = sqlite::Database::open(bench.path);
        REQUIRE(database);
        CHECK(database->execute("DELETE FROM application_steps; UPDATE meta SET application = 1"));
    }
    bench.store = bench.open();
    const SchemaPart pictures{"pictures", {"CREATE TABLE pictures (id)"}};
    SECTION("the application's own") {
        CHECK(bench.store->tables().prepare({pictures, {"", schema}}));
        CHECK(bench.run("SELECT * FROM pictures"));
    }
    SECTION("the first component's, without such") {
        CHECK(bench.store->tables().prepare({{"accounts", schema}, pictures}));
        CHECK(bench.store->tables().prepare({pictures, {"accounts", schema}}));
    }
    SECTION("and it is known from then on") {
        CHECK(bench.prepare(schema));
        CHECK_FALSE(bench.prepare({"CREATE TABLE accounts (other)"}));
    }
    SECTION("unless the program is older still") { CHECK_FALSE(bench.prepare({})); }
}

}  // namespace store_application_sqlite_test
