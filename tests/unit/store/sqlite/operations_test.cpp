// What an operator does to a database: check it, copy it, put a copy back; and what was done to it by
// accident.
#include <sqlite3.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "server/store/sqlite/check.hpp"
#include "server/store/sqlite/files.hpp"
#include "server/store/sqlite/store.hpp"
#include "tests/unit/store/contract.hpp"
#include "tests/unit/store/sqlite/disk.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace store_operations_sqlite_test {

using namespace oncewire;
using namespace oncewire::store;
using oncewire::test::commit_one;
using oncewire::test::producer;
using oncewire::test::read_all;
using oncewire::test::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

const delivery::Epoch first{"first"};
const delivery::Epoch second{"second"};

std::unique_ptr<SqliteStore> open(const std::string& path, const delivery::Epoch& epoch = first,
                                  SqliteStore::Options options = {.ballast_bytes = 0}) {
    auto opened = SqliteStore::open(path, epoch, options);
    if (!opened) FAIL_CHECK(opened.error().sentence);
    return opened ? std::move(*opened) : nullptr;
}

/// Some of everything.
void fill(Store& of) {
    test::StoreUser store(of);
    commit_one(store, "/,a", "\"one\"");
    commit_one(store, "/,b", "\"two\"");
    commit_one(store, "/,a", "\"three\"");
    CHECK(store.begin());
    for (std::uint64_t i = 1; i <= 2; ++i) {
        CHECK(store.put_verdict(ProducerId("p"), i, {i * 7, accept()}));
    }
    CHECK(store.put_producer(producer("p", 2)));
    CHECK(store.put_once("id", {"text", "ann", 3}));
    CHECK(store.commit() == WriteOutcome::committed);
}

/// Files that a backup leaves, or would like to.
long parts_in(const TemporaryDirectory& directory) {
    const fs::directory_iterator files(fs::path(directory.file("x")).parent_path());
    return std::count_if(begin(files), end(files), [](const auto& file) {
        return file.path().filename().string().find(".part") != std::string::npos;
    });
}

void run_sql(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string problems_of(const std::string& path) {
    const auto report = check_database(path);
    if (!report) return report.error().sentence;
    std::string text;
    for (const auto& problem : report->problems) text += problem + '\n';
    return text;
}

bool finds(const CheckReport& report, const std::string& part) {
    for (const auto& problem : report.problems) {
        if (problem.find(part) != problem.npos) return true;
    }
    return false;
}

/// As after kill -9: the files as they are while the store is open, under another name.
void copy_killed(const std::string& from, const std::string& to) {
    for (const char* suffix : {"", "-wal", "-head"}) fs::copy_file(from + suffix, to + suffix);
}

}  // namespace

TEST_CASE("a sound database is found sound, and counted") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    fill(*open(path));
    CHECK(problems_of(path) == "");
    const auto report = check_database(path);
    REQUIRE(report);
    CHECK(report->head == LogHead{first, 3});
    CHECK(report->entries == 3);
    CHECK(report->rooms == 2);
    CHECK(report->producers == 1);
}

TEST_CASE("whatever cannot be in a database is found") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    fill(*open(path));
    const std::pair<const char*, const char*> accidents[] = {
        {"DELETE FROM log WHERE offset = 2", "a room does not count its entries"},
        {"DELETE FROM log WHERE offset = 3", "a room does not count its entries"},
        {"UPDATE log SET room_seq = 3 - room_seq WHERE room = 1", "in the order of the log"},
        {"UPDATE log SET offset = 9 WHERE offset = 3", "the log has a hole"},
        {"UPDATE log SET room = 7 WHERE offset = 2", "an entry has no room"},
        {"DELETE FROM verdicts WHERE sequence = 2", "mark is not its newest verdict"},
        {"UPDATE producers SET forgotten = 2", "mark is not its newest verdict"},
        {"UPDATE verdicts SET digest = 5 WHERE sequence = 2", "another digest"},
        {"DELETE FROM producers", "a verdict has no producer"},
        {"UPDATE verdicts SET kind = 2 WHERE sequence = 1", "neither yes nor no"},
        {"UPDATE once SET offset = 4", "stands for a message that is not there"},
        {"DELETE FROM meta", "the log has no epoch"},
        {"DELETE FROM log; UPDATE rooms SET last_seq = 0; DELETE FROM once",
         "messages were lost: the log ends at 0, and had got to 3"},
    };
    int number = 0;
    for (const auto& [sql, expected] : accidents) {
        INFO(sql);
        const std::string damaged = directory.file("damaged" + std::to_string(++number));
        fs::copy_file(path, damaged);
        fs::copy_file(path + "-head", damaged + "-head");
        run_sql(damaged, sql);
        const auto report = check_database(damaged);
        REQUIRE(report);
        CHECK(finds(*report, expected));
    }
}

TEST_CASE("a damaged page is found, and nothing is changed by looking") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string killed = directory.file("killed.db");
    {
        const auto store = open(path);
        fill(*store);
        copy_killed(path, killed);
    }
    std::string bytes = read_file(path);
    bytes[4096 + 7] = '\x7f';  // the second page's header: where its free space begins
    std::ofstream(path, std::ios::binary) << bytes;
    const auto report = check_database(path);
    REQUIRE(report);
    CHECK(finds(*report, "the file is damaged"));
    CHECK(read_file(path) == bytes);

    const std::string log = read_file(killed + "-wal");
    CHECK(problems_of(killed) == "");
    CHECK(read_file(killed + "-wal") == log);
    CHECK(open(killed)->head().offset == 3);
}

TEST_CASE("what cannot be checked is told in one sentence") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string begin = "cannot check the database '" + path + "': ";
    CHECK(check_database(path).error().sentence == begin + "it does not exist");
    std::ofstream(path) << "";
    CHECK(check_database(path).error().sentence == begin + "it is empty");
    std::ofstream(path) << std::string(5000, 'x');
    CHECK(check_database(path).error().sentence == begin + "it is not a database");
    fs::remove(path);
    const auto holder = open(path);
    CHECK(check_database(path).error().error == StoreError::busy);
}

TEST_CASE("a write-ahead log that is missing, cut or damaged is not gone on without") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string killed = directory.file("killed.db");
    {
        const auto store = open(path);
        fill(*store);
        copy_killed(path, killed);
    }
    SECTION("missing") { fs::remove(killed + "-wal"); }
    SECTION("cut to nothing") { fs::resize_file(killed + "-wal", 0); }
    SECTION("cut in the middle") {
        fs::resize_file(killed + "-wal", fs::file_size(killed + "-wal") * 3 / 4);
    }
    SECTION("its header is damaged") {
        std::fstream(killed + "-wal", std::ios::in | std::ios::out) << "damaged!";
    }
    const std::string before = read_file(killed);
    const bool has_log = fs::exists(killed + "-wal");
    const auto opened = SqliteStore::open(killed, second, {.ballast_bytes = 0});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().error == StoreError::corrupt);
    CHECK(read_file(killed) == before);
    CHECK((!has_log || fs::exists(killed + "-wal")));
}

TEST_CASE("an older copy is refused, unless it is said to be one: then it begins a new history") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    commit_one(*open(path), "/,a", "1");
    const std::string copy = read_file(path);
    commit_one(*open(path), "/,a", "2");
    std::ofstream(path, std::ios::binary) << copy;

    const auto refused = SqliteStore::open(path, second, {.ballast_bytes = 0});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().error == StoreError::corrupt);
    CHECK(refused.error().sentence.find("it ends at 1, and had got to 2") != std::string::npos);

    const auto store = open(path, second, {.ballast_bytes = 0, .restored = true});
    REQUIRE(store);
    CHECK(store->head() == LogHead{second, 1});
    commit_one(*store, "/,a", "other");
}

TEST_CASE("a backup holds all that was written until it was complete, and begins a new history") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string copy = directory.file("copy.db");
    const auto store = open(path);
    fill(*store);
    commit_one(*store, "/,a", std::string(3'000'000, 'x'));
    CHECK(store->begin_backup(copy));
    CHECK_FALSE(*store->step_backup());
    CHECK_FALSE(store->begin_backup(directory.file("another.db")));
    commit_one(*store, "/,a", "meanwhile");
    CHECK_FALSE(fs::exists(copy));
    while (!*store->step_backup()) commit_one(*store, "/,b", "and then");
    const auto head = store->head().offset;

    CHECK(fs::status(copy).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    CHECK(parts_in(directory) == 0);
    CHECK(problems_of(copy) == "");
    const auto restored = open(copy, second);
    REQUIRE(restored);
    CHECK(restored->head() == LogHead{second, head});
    CHECK(read_all(*restored, {"/,a"}).back().data == "meanwhile");
    CHECK((*test::StoreUser(*restored).find_producer(ProducerId("p")))->seen.last == 2);
    CHECK(store->head().epoch == first);
    CHECK(open(copy + "x", second)->head().epoch == second);
}

TEST_CASE("a backup touches no file that it has not made") {
    TemporaryDirectory directory;
    const std::string copy = directory.file("copy");
    for (const auto* name : {"copy.part", "copy.part-000000"})
        std::ofstream(directory.file(name)) << "precious";
    const auto store = open(directory.file("chat.db"));
    fill(*store);
    CHECK(store->begin_backup(copy));
    SECTION("when it is made") {
        while (!*store->step_backup()) {
        }
        CHECK(fs::exists(copy));
    }
    SECTION("when it is given up") { CHECK(store->reopen()); }
    for (const auto* name : {"copy.part", "copy.part-000000"})
        CHECK(read_file(directory.file(name)) == "precious");
    CHECK(parts_in(directory) == 2);
}

TEST_CASE("a backup that cannot be made leaves nothing behind and harms nothing") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string copy = directory.file("copy.db");
    const auto store = open(path);
    fill(*store);
    SECTION("there is a file of that name") {
        std::ofstream(copy) << "precious";
        CHECK(store->begin_backup(copy).error().sentence ==
              "cannot make the backup '" + copy + "': there is a file of that name");
        CHECK(read_file(copy) == "precious");
    }
    SECTION("its directory is missing") {
        CHECK_FALSE(store->begin_backup(directory.file("no/copy.db")));
    }
    SECTION("the store had to be reopened in between") {
        commit_one(*store, "/,a", std::string(3'000'000, 'x'));
        CHECK(store->begin_backup(copy));
        CHECK_FALSE(*store->step_backup());
        CHECK(store->reopen());
        CHECK_FALSE(store->step_backup());
        CHECK(parts_in(directory) == 0);
    }
    SECTION("its name has a line break, which would cut it where it is told") {
        const std::string odd = copy + "\nstatus";
        CHECK(store->begin_backup(odd).error().sentence ==
              "cannot make the backup '" + copy +
                  "?status': its name has a control character, as a line break");
        CHECK_FALSE(fs::exists(odd));
    }
    SECTION("a file of that name is made meanwhile") {
        CHECK(store->begin_backup(copy));
        std::ofstream(copy) << "precious";
        for (bool failed = false; !failed;) failed = !store->step_backup();
        CHECK(read_file(copy) == "precious");
        CHECK(parts_in(directory) == 0);
    }
    SECTION("it was given up") {
        CHECK(store->begin_backup(copy));
        CHECK(store->reopen());
        CHECK(store->begin_backup(copy));
        while (!*store->step_backup()) {
        }
        CHECK(fs::exists(copy));
    }
    commit_one(*store, "/,a", "goes on");
}

TEST_CASE("the mark of the head outlives a torn write, and says nothing of another history") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    {
        sqlite::HeadMark mark(path);
        CHECK_FALSE(mark.read());
        mark.write({first, 41});
        mark.write({first, 42});
        CHECK(mark.read() == LogHead{first, 42});
    }
    std::fstream(path + "-head", std::ios::in | std::ios::out).seekp(130) << "torn";
    CHECK(sqlite::HeadMark(path).read() == LogHead{first, 41});
    const auto refused = SqliteStore::open(path, first, {.ballast_bytes = 0});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().sentence.find("it is empty, and was not before") != std::string::npos);
    const auto emptied = open(path, second, {.ballast_bytes = 0, .restored = true});
    REQUIRE(emptied);
    CHECK(emptied->head() == LogHead{second, 0});
    CHECK(sqlite::HeadMark(path).read() == LogHead{second, 0});
}

TEST_CASE("the ballast is given up when space runs out, and kept back when there is plenty") {
    TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string ballast = path + "-ballast";
    constexpr std::uint64_t none_is_enough = std::uint64_t{1} << 62;
    CHECK(open(path, first, {.ballast_bytes = 1 << 20}));
    CHECK(fs::file_size(ballast) == 1 << 20);
    const auto store =
        open(path, first, {.free_bytes_min = none_is_enough, .ballast_bytes = 1 << 20});
    CHECK(test::error_writing(*store) == StoreError::full);
    CHECK_FALSE(fs::exists(ballast));
    CHECK(open(directory.file("b.db"), first, {.ballast_bytes = none_is_enough}));
    CHECK_FALSE(fs::exists(directory.file("b.db-ballast")));
}

TEST_CASE(
    "power loss takes what was only committed to the process, and nothing that is on the disk") {
    for (const Durability durability : {Durability::disk, Durability::process}) {
        INFO(durability_text(durability));
        int lost = 0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            TemporaryDirectory directory;
            const std::string path = directory.file("chat.db");
            test::SqliteDisk disk;
            {
                const auto store =
                    open(path, first, {.ballast_bytes = 0, .durability = durability});
                REQUIRE(store);
                CHECK(store->durability() == durability);
                for (int i = 0; i < 20; ++i) commit_one(*store, "/,a", "message");
                disk.fail({.countdown = 1, .and_all_after = true});
            }
            disk.heal();
            Prng prng(seed);
            disk.lose_power(prng);
            const auto left = SqliteStore::open(path, second, {.ballast_bytes = 0});
            if (!left || (*left)->head().offset < 20) ++lost;
        }
        CHECK((lost > 0) == (durability == Durability::process));
    }
}

}  // namespace store_operations_sqlite_test
