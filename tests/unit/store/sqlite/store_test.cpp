#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "server/store/sqlite/migrations.hpp"
#include "server/store/sqlite/store.hpp"
#include "server/store/sqlite/writer.hpp"
#include "shared/base/prng.hpp"
#include "tests/unit/store/contract.hpp"
#include "tests/unit/store/sqlite/disk.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace store_sqlite_test {

using namespace oncewire;
using namespace oncewire::store;
using oncewire::test::append;
using oncewire::test::commit_one;
using oncewire::test::read_all;
using oncewire::test::StoreUser;
using oncewire::test::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

const delivery::Epoch first{"first"};

class SqliteMachine final : public test::StoreMachine {
  public:
    explicit SqliteMachine(std::string path) : path_(std::move(path)) { restart(); }
    StoreUser& store() override { return *user_; }
    void restart() override {
        user_.reset();
        store_.reset();
        auto opened = SqliteStore::open(path_, first);
        REQUIRE(opened);
        store_ = std::move(*opened);
        user_.emplace(*store_);
    }

  private:
    std::string path_;
    std::unique_ptr<SqliteStore> store_;
    std::optional<StoreUser> user_;
};

/// Somebody else's program, which knows nothing of ours.
int run_sql(const std::string& path, const char* sql) {
    sqlite3* db = nullptr;
    int code = sqlite3_open(path.c_str(), &db);
    if (code == SQLITE_OK) code = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
    sqlite3_close(db);
    return code;
}

/// What another process hears: locks of one process do not hold it up itself.
int run_sql_elsewhere(const std::string& path) {
    setenv("ONCEWIRE_TEST_DATABASE", path.c_str(), 1);
    const int status = std::system(
        ("'" + fs::read_symlink("/proc/self/exe").string() + "' 'another process' >/dev/null")
            .c_str());
    unsetenv("ONCEWIRE_TEST_DATABASE");
    return (status >> 8) & 0xff;  // as wait() says it
}

void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

SqliteStore::OpenError error_opening(const std::string& path) {
    const auto opened = SqliteStore::open(path, first);
    return opened ? SqliteStore::OpenError{} : opened.error();
}

}  // namespace

TEST_CASE("the SQLite store is a store") {
    TemporaryDirectory directory;
    SqliteMachine machine(directory.file("chat.db"));
    test::check_store_contract(machine);
    CHECK(machine.store().durability() == Durability::disk);
}

TEST_CASE("a database in memory is a store that admits it keeps nothing") {
    auto opened = SqliteStore::open(":memory:", first);
    REQUIRE(opened);
    Store& store = **opened;
    CHECK(store.durability() == Durability::memory);
    CHECK(store.head() == LogHead{first, 0});
    commit_one(store, "/,a", "1");
    CHECK(store.reopen());
    CHECK(store.head() == LogHead{first, 1});
    CHECK(read_all(store, {"/,a"}).size() == 1);
    CHECK_FALSE(fs::exists(":memory:"));
}

TEST_CASE("a database keeps the epoch it was made with") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    CHECK((*SqliteStore::open(path, first))->head().epoch == first);
    CHECK((*SqliteStore::open(path, {"second"}))->head().epoch == first);
}

TEST_CASE("only we may read the files we make") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const auto opened = SqliteStore::open(path, first);
    REQUIRE(opened);
    commit_one(**opened, "/,a", "1");
    for (const char* suffix : {"", "-wal"}) {
        INFO(suffix);
        CHECK(fs::status(path + suffix).permissions() ==
              (fs::perms::owner_read | fs::perms::owner_write));
    }
}

TEST_CASE("while the store has its file nobody else can open it, and so nobody can checkpoint it") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const auto opened = SqliteStore::open(path, first);
    REQUIRE(opened);
    CHECK(run_sql_elsewhere(path) == SQLITE_BUSY);
    commit_one(**opened, "/,a", "1");
    CHECK(run_sql_elsewhere(path) == SQLITE_BUSY);
    CHECK((*opened)->reopen());
    CHECK(run_sql_elsewhere(path) == SQLITE_BUSY);
    const auto reading = (*opened)->open_reading();
    REQUIRE(reading->look());
    CHECK(run_sql_elsewhere(path) == SQLITE_BUSY);
}

TEST_CASE("another process", "[.elsewhere]") {
    const char* path = std::getenv("ONCEWIRE_TEST_DATABASE");
    if (path) std::_Exit(run_sql(path, "SELECT count(*) FROM log") & 0xff);
}

TEST_CASE("a second store of the same process is told that there is one") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    {
        const auto opened = SqliteStore::open(path, first);
        REQUIRE(opened);
        const auto second = SqliteStore::open(directory.file("./chat.db"), first);
        REQUIRE_FALSE(second);
        CHECK(second.error().error == StoreError::busy);
    }
    CHECK(SqliteStore::open(path, first));
}

TEST_CASE("a store that was closed leaves a file that is whole by itself, which anybody can read") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    commit_one(**SqliteStore::open(path, first), "/,a", "1");
    CHECK_FALSE(fs::exists(path + "-wal"));
    CHECK(run_sql(path, "SELECT count(*) FROM log") == SQLITE_OK);
    CHECK(run_sql(path, "PRAGMA integrity_check") == SQLITE_OK);
}

TEST_CASE("a name with a meaning to SQLite is just a name") {
    TemporaryDirectory directory;
    const fs::path before = fs::current_path();
    fs::current_path(directory.file(""));
    for (const char* name : {"file:x?mode=memory", "a b'c\"d.db", "%41.db"}) {
        INFO(name);
        CHECK(SqliteStore::open(name, first));
        CHECK(fs::file_size(directory.file(name)) > 0);
    }
    fs::current_path(before);
}

TEST_CASE("what cannot be opened is told in one sentence") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string begin = "cannot open the database '" + path + "': ";

    SECTION("the directory is missing") {
        const std::string deep = directory.file("no/chat.db");
        const auto error = error_opening(deep);
        CHECK(error.error == StoreError::io);
        CHECK(error.sentence == "cannot open the database '" + deep + "': the directory '" +
                                    directory.file("no") + "' is missing");
    }
    SECTION("it has no name") {
        CHECK(error_opening("").sentence == "cannot open the database '': its name is empty");
    }
    SECTION("it is a directory") {
        fs::create_directory(path);
        CHECK(error_opening(path).sentence == begin + "it is a directory");
    }
    SECTION("it is something else") {
        for (const std::size_t size : {2u, 99u, 5000u}) {
            const std::string text(size, 'x');
            write_file(path, text);
            const auto error = error_opening(path);
            CHECK(error.error == StoreError::corrupt);
            CHECK(error.sentence == begin + "it is not a database");
            CHECK(read_file(path) == text);
        }
    }
    SECTION("it belongs to another program, and is left as it is") {
        CHECK(run_sql(path, "CREATE TABLE mine (x)") == SQLITE_OK);
        const std::string before = read_file(path);
        const auto error = error_opening(path);
        CHECK(error.error == StoreError::corrupt);
        CHECK(error.sentence == begin + "it belongs to another program");
        CHECK(read_file(path) == before);
    }
    SECTION("a newer version wrote it") {
        CHECK(SqliteStore::open(path, first));
        CHECK(run_sql(path, "PRAGMA user_version = 1000") == SQLITE_OK);
        const auto error = error_opening(path);
        CHECK(error.error == StoreError::newer_schema);
        CHECK(error.sentence == begin +
                                    "a newer version of this program wrote it (schema 1000, this "
                                    "one knows " +
                                    std::to_string(sqlite::newest_schema) + ")");
    }
    SECTION("it has lost its epoch") {
        CHECK(SqliteStore::open(path, first));
        CHECK(run_sql(path, "DELETE FROM meta") == SQLITE_OK);
        CHECK(error_opening(path).sentence == begin + "it has lost its epoch");
    }
}

TEST_CASE("a locked, write-protected or damaged database is told in one sentence") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string begin = "cannot open the database '" + path + "': ";
    test::SqliteDisk disk;

    SECTION("another process has it open") {
        const auto holder = SqliteStore::open(path, first);
        CHECK(holder);
        const auto error = error_opening(path);
        CHECK(error.error == StoreError::busy);
        CHECK(error.sentence ==
              begin + "another program has it open; is the server running already?");
    }
    SECTION("it may not be written") {
        CHECK(SqliteStore::open(path, first));
        disk.read_only = true;
        const auto error = error_opening(path);
        CHECK(error.error == StoreError::read_only);
        CHECK(error.sentence == begin + "it may not be written");
    }
    SECTION("its pages are damaged") {
        CHECK(SqliteStore::open(path, first));
        disk.damage(100);  // the type of the first page
        const auto error = error_opening(path);
        CHECK(error.error == StoreError::corrupt);
        CHECK(error.sentence == begin + "database disk image is malformed");
    }
}

TEST_CASE("a large batch leaves no temporary file behind") {
    TemporaryDirectory directory;
    const auto opened = SqliteStore::open(directory.file("chat.db"), first);
    REQUIRE(opened);
    StoreUser store(**opened);
    const ProducerRow row = test::producer("p");
    Prng prng(1);
    // Scattered digests; after the first batch the second changes more pages than SQLite journals in
    // 64 KiB.
    delivery::Sequence sequence = 0;
    for (const int verdicts : {20'000, 1'000}) {
        REQUIRE(store.begin());
        REQUIRE(store.put_producer(row));
        for (int i = 0; i < verdicts; ++i) {
            REQUIRE(store.put_verdict(row.identity.id, ++sequence, {prng.next(), accept("1")}));
        }
        REQUIRE(store.commit() == WriteOutcome::committed);
    }
    for (const auto& open : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        CHECK(fs::read_symlink(open, gone).string().find("etilqs_") == std::string::npos);
    }
}

TEST_CASE("of whoever has many verdicts some become ready to be found by digest at a time") {
    auto opened = SqliteStore::open(":memory:", first);
    REQUIRE(opened);
    StoreUser store(**opened);
    const ProducerId ann("ann");
    constexpr delivery::Sequence count = 1'063;
    const auto say = [&](delivery::Sequence from, delivery::Sequence last) {
        for (auto i = from; i <= last; ++i) REQUIRE(store.put_verdict(ann, i, {i, accept()}));
        REQUIRE(store.put_producer(test::producer("ann", last)));
        REQUIRE(store.commit() == WriteOutcome::committed);
    };
    const auto is_ready = [&] { return store.find_by_digest(ann, 5)->is_ready; };
    say(1, 63);
    CHECK(is_ready());
    CHECK(store.find_by_digest(ann, 5)->verdict);
    say(64, count);
    CHECK_FALSE(is_ready());
    for (const bool is_last : {false, true}) {
        store.prepare_digests(ann, 500);
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK(is_ready() == is_last);
    }
    for (const delivery::Digest digest : {1, 500, 1'000, 1'001, 1'063}) {
        INFO(digest);
        const auto found = store.find_by_digest(ann, digest);
        REQUIRE(found->verdict);
        CHECK(found->verdict->digest == digest);
    }
    CHECK_FALSE(store.find_by_digest(ann, 1'064)->verdict);
    say(count + 1, count + 1);
    CHECK_FALSE(is_ready());
}

TEST_CASE("each opening is another writer, and the older one may write nothing more") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const auto fence = [&] {
        auto database = sqlite::Database::open(path);
        REQUIRE(database);
        return *database->integer("SELECT fence FROM meta");
    };
    {
        const auto opened = SqliteStore::open(path, first);
        REQUIRE(opened);
        commit_one(**opened, "/,a", "1");
    }
    CHECK(fence() == 1);
    {
        const auto opened = SqliteStore::open(path, first);
        REQUIRE(opened);
        REQUIRE((*opened)->reopen());
        commit_one(**opened, "/,a", "2");
    }
    CHECK(fence() == 3);

    auto database = sqlite::Database::open(path);
    REQUIRE(database);
    sqlite::SessionTables sessions;
    sqlite::Writer writer;
    REQUIRE(sessions.prepare(*database));
    REQUIRE(writer.prepare(*database, sessions));
    const LogHead head{first, 2};
    const auto older = writer.take_fence();
    REQUIRE(older);
    CHECK(*older == 4);
    CHECK(*writer.may_write(head, *older));
    const auto newer = writer.take_fence();
    REQUIRE(newer);
    CHECK_FALSE(*writer.may_write(head, *older));
    CHECK(*writer.may_write(head, *newer));
    CHECK_FALSE(*writer.may_write({first, 1}, *newer));
    CHECK_FALSE(*writer.may_write({{"second"}, 2}, *newer));
}

TEST_CASE("with too little space left the store takes no writes and still reads") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    commit_one(**SqliteStore::open(path, first), "/,a", "1");
    const auto opened = SqliteStore::open(path, first, {.free_bytes_min = std::uint64_t{1} << 62});
    REQUIRE(opened);
    CHECK(test::error_writing(**opened) == StoreError::full);
    CHECK(read_all(**opened, {"/,a"}).size() == 1);
}

TEST_CASE("what was not flushed when the machine stopped begins a new history") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string mark = path + "-unflushed";
    const delivery::Epoch second{"second"};
    std::string own_boot;
    {
        const auto opened = SqliteStore::open(path, first, {.durability = Durability::process});
        REQUIRE(opened);
        commit_one(**opened, "/,a", "1");
        std::getline(std::ifstream(mark), own_boot);
        CHECK_FALSE(own_boot.empty());
    }
    CHECK_FALSE(std::filesystem::exists(mark));  // an orderly end flushes

    SECTION("a killed process is none") {
        std::ofstream(mark) << own_boot << '\n';
        CHECK((*SqliteStore::open(path, second))->head() == LogHead{first, 1});
        CHECK_FALSE(std::filesystem::exists(mark));
    }
    SECTION("nor is a machine that was started again after an orderly end") {
        CHECK((*SqliteStore::open(path, second))->head() == LogHead{first, 1});
    }
    SECTION("a machine that was started again under a killed process is one") {
        const auto durability = GENERATE(Durability::disk, Durability::process);
        std::ofstream(mark) << GENERATE("another boot\n", "");
        {
            const auto opened = SqliteStore::open(path, second, {.durability = durability});
            REQUIRE(opened);
            CHECK((*opened)->head() == LogHead{second, 1});
            CHECK(std::filesystem::exists(mark) == (durability == Durability::process));
        }
        CHECK((*SqliteStore::open(path, {"third"}))->head() == LogHead{second, 1});
    }
}

TEST_CASE("a file that was replaced by an older one, or emptied, is not gone on with") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    test::SqliteDisk disk;
    const auto opened = SqliteStore::open(path, first);
    REQUIRE(opened);
    commit_one(**opened, "/,a", "1");
    auto copy = disk.copy_files();
    commit_one(**opened, "/,a", "2");

    if (GENERATE(false, true)) copy[path] = copy[path + "-wal"] = "";
    disk.replace_files(copy);
    CHECK((*opened)->reopen().error() == StoreError::corrupt);
    CHECK(test::error_writing(**opened) == StoreError::io);
    CHECK((*opened)->head() == LogHead{first, 2});
}

}  // namespace store_sqlite_test
