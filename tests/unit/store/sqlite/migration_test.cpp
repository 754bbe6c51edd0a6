// Files of every released version, brought forward by this one.
#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "server/store/sqlite/migrations.hpp"
#include "server/store/sqlite/store.hpp"
#include "shared/delivery/producer.hpp"
#include "tests/unit/store/contract.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace store_migration_sqlite_test {

using namespace oncewire;
using namespace oncewire::store;

namespace {

/// What the steps were when they were released.
constexpr delivery::Digest released[] = {0x3dc5a68ecc8babee, 0xcb7b90f5ded95b2,  0xc1c611e9224d5dcc,
                                         0x1564e3a8d5dfff4b, 0xb0b0dde1e33b7939, 0xff7b9b8fe63ce32,
                                         0xf4265dada72517b3, 0xeb2caf66383df813, 0xe69d4a1b747a3a66,
                                         0x3a26bebf87b85476};

/// A database file made by the SQL that `sqlite3 FILE .dump` wrote of one of that version.
struct OldFile {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("old.db");

    explicit OldFile(std::int64_t version) {
        std::ifstream dump(
            std::string(ONCEWIRE_SOURCE_DIR "/tests/unit/store/sqlite/schema/version_") +
            std::to_string(version) + ".sql");
        REQUIRE(dump);
        const std::string sql(std::istreambuf_iterator<char>(dump), {});
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
        REQUIRE(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(db);
    }
};

}  // namespace

TEST_CASE("a released step of the schema never changes") {
    REQUIRE(std::size(released) == std::size(sqlite::migrations));
    for (std::size_t i = 0; i < std::size(released); ++i) {
        INFO("step " << i);
        CHECK(delivery::digest(sqlite::migrations[i], 0) == released[i]);
    }
}

TEST_CASE("a file of any released version is brought forward with all that is in it") {
    for (std::int64_t version = 1; version <= sqlite::newest_schema; ++version) {
        INFO("version " << version);
        const OldFile file(version);
        for (int start = 0; start < 2; ++start) {
            const auto opened = SqliteStore::open(file.path, {"another"});
            REQUIRE(opened);
            test::StoreUser store(**opened);
            CHECK(store.head() == LogHead{{"old"}, static_cast<delivery::Offset>(3 + start)});
            const auto entries = test::read_all(store, {"/,chat"});
            REQUIRE(entries.size() == 2u + static_cast<std::size_t>(start));
            CHECK(entries[0].data == R"(["chat message","one",1])");
            CHECK(entries[1].room_seq == 2);
            const auto row = store.find_producer(ProducerId("p"));
            REQUIRE((row && *row));
            CHECK((*row)->seen == delivery::HighWater{2, 22});
            CHECK((*row)->epoch == 7);
            const auto verdict = store.find_verdict(ProducerId("p"), 2);
            REQUIRE((verdict && *verdict));
            CHECK((*verdict)->verdict == Verdict{Verdict::Kind::rejected, R"({"error":"no"})"});
            const auto by_digest = store.find_by_digest(ProducerId("p"), 22);
            REQUIRE((by_digest->is_ready && by_digest->verdict));
            CHECK(by_digest->verdict->verdict == (*verdict)->verdict);
            const auto once = store.find_once("id 1", "ann", digest_of_body("\"one\""));
            REQUIRE(once->size() == 1);
            CHECK(once->front().body == digest_of_body("\"one\""));
            if (version >= 2) CHECK((*store.find_session("pid"))->rooms.size() == 2);
            if (version >= 3) {
                CHECK(store.tasks(0, 9)->size() == 1);
                CHECK(store.last_task() == 4);
            }
            CHECK((*row)->user == (version >= 4 ? "ann" : ""));
            if (version >= 5) {
                CHECK((*store.find_question("key"))->recipient == ProducerId("p"));
                CHECK(store.last_question() == 6);
            }
            CHECK((*row)->forgotten == (version >= 6 ? 1u : 0u));
            const auto steps = store.prepare_application({{"", {"CREATE TABLE made (x)"}}});
            CHECK(static_cast<bool>(steps) == (version < 7));
            using Published = std::optional<Publication>;
            CHECK((*verdict)->published == (version >= 6 ? Published({4, 0}) : Published()));
            test::commit_one(store, "/,chat", "[\"new\"]");
        }
    }
}

}  // namespace store_migration_sqlite_test
