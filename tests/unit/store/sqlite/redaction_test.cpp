// What was rewritten leaves no byte in the files of the database.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "server/store/sqlite/store.hpp"
#include "shared/base/prng.hpp"
#include "tests/unit/store/contract.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace store_redaction_sqlite_test {

using namespace oncewire;
using namespace oncewire::store;
namespace fs = std::filesystem;

namespace {

/// A log in which people write, change and take back words, each with a mark that no other has.
class Town {
  public:
    /// `keep`: entries of each of its three rooms.
    Town(const std::string& path, std::uint64_t seed, std::uint64_t keep)
        : path_(path), prng_(seed), keep_(keep) {
        open();
    }

    void open() {
        close();
        auto opened = SqliteStore::open(path_, {"first"});
        REQUIRE(opened);
        store_ = std::move(*opened);
        user_.emplace(*store_);
    }
    void close() {
        user_.reset();
        store_.reset();
    }
    SqliteStore& store() { return *store_; }
    test::StoreUser& user() { return *user_; }

    void live(int steps) {
        for (int step = 0; step < steps; ++step) {
            REQUIRE(user_->begin());
            const auto what = prng_.below(20);
            if (what < 14 || words_.empty()) {
                write();
            } else if (what < 19) {
                rewrite(what < 17);
            } else {
                trim();
            }
            REQUIRE(user_->commit() == WriteOutcome::committed);
            forget_trimmed();
        }
    }

    /// Marks of words that are not there any more and can be found in a file all the same.
    std::size_t count_traces(const std::string& path) const {
        std::size_t traces = 0;
        for (const char* suffix : {"", "-wal", "-shm"}) {
            std::ifstream file(path + suffix, std::ios::binary);
            const std::string bytes(std::istreambuf_iterator<char>(file), {});
            for (std::size_t at = 0; (at = bytes.find('<', at)) != bytes.npos; ++at) {
                traces += gone_.count(bytes.substr(at, bytes.find('>', at) - at));
            }
        }
        return traces;
    }
    std::size_t traces() const { return count_traces(path_); }

  private:
    std::string draw() {
        constexpr std::uint64_t sizes[] = {8, 60, 300, 900, 3'000, 9'000};
        const auto size = prng_.below(sizes[prng_.below(6)]);
        return '<' + std::to_string(++marks_) + '>' + std::string(size, 'x');
    }
    static std::string mark_in(const std::string& data) { return data.substr(0, data.find('>')); }

    void write() {
        const std::string room = "/,r" + std::to_string(prng_.below(3));
        const std::string data = draw();
        REQUIRE(test::append(*user_, room, data));
        words_[user_->head().offset] = {room, data};
    }
    void rewrite(bool is_change) {
        auto at = words_.begin();
        std::advance(at, prng_.below(words_.size()));
        auto& [room, data] = at->second;
        const std::string after = is_change ? draw() : "taken back";
        REQUIRE(*user_->rewrite(room, at->first, after));
        gone_.insert(mark_in(data));
        data = after;
        if (!is_change) words_.erase(at);
    }
    /// The oldest of each room go.
    void trim() {
        Retention retention;
        retention.rules.push_back({"", {}, keep_});
        user_->trim(retention, {}, test::many);
    }
    void forget_trimmed() {
        for (auto each = words_.begin(); each != words_.end();) {
            const bool is_kept = each->first > *user_->trimmed_to({each->second.first});
            if (!is_kept) gone_.insert(mark_in(each->second.second));
            each = is_kept ? std::next(each) : words_.erase(each);
        }
    }

    std::string path_;
    Prng prng_;
    std::unique_ptr<SqliteStore> store_;
    std::optional<test::StoreUser> user_;
    std::map<delivery::Offset, std::pair<std::string, std::string>> words_;
    std::set<std::string> gone_;
    std::uint64_t marks_ = 0;
    std::uint64_t keep_;
};

}  // namespace

TEST_CASE("no byte of what was rewritten is left in any file, however rows have moved") {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        INFO("seed " << seed);
        const test::TemporaryDirectory directory;
        const std::string path = directory.file("chat.db");
        Town town(path, seed, 60);
        town.live(300);
        CHECK(town.traces() > 0);  // in the write-ahead log, until it is told
        REQUIRE(*town.store().erase_traces());
        CHECK(town.traces() == 0);
        CHECK(fs::file_size(path + "-wal") == 0);
        // What is in memory does not bring it back.
        town.live(5);
        REQUIRE(*town.store().erase_traces());
        test::commit_one(town.user(), "/,r0", "one more");
        CHECK(town.traces() == 0);
        town.live(100);
        town.close();
        CHECK(town.traces() == 0);
    }
}

TEST_CASE("nor in a copy that was begun before, or after a process that died") {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("chat.db");
    const std::string copy = directory.file("copy.db");
    Town town(path, 77, 300);
    town.live(1500);
    REQUIRE(town.store().begin_backup(copy));
    REQUIRE(!*town.store().step_backup());
    town.live(50);
    CHECK(*town.store().erase_traces());  // while it is copied
    while (!*town.store().step_backup()) {
    }
    CHECK(town.count_traces(copy) == 0);

    town.live(50);
    const std::string died = directory.file("died.db");
    for (const char* suffix : {"", "-wal", "-head"}) fs::copy_file(path + suffix, died + suffix);
    CHECK(town.count_traces(died) > 0);
    auto again = SqliteStore::open(died, {"another"});
    REQUIRE(again);
    CHECK(*(*again)->erase_traces());
    CHECK(town.count_traces(died) == 0);
    (*again).reset();
    CHECK(town.count_traces(died) == 0);
}

}  // namespace store_redaction_sqlite_test
