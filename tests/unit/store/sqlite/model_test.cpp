#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/store/memory/memory_store.hpp"
#include "server/store/sqlite/store.hpp"
#include "shared/base/prng.hpp"
#include "tests/unit/store/contract.hpp"
#include "tests/unit/store/sqlite/disk.hpp"
#include "tests/unit/support/temporary_directory.hpp"

namespace store_sqlite_model_test {

using namespace oncewire;
using namespace oncewire::store;

namespace {

/// The same calls on both stores; every answer must be the same.
class Pair {
  public:
    explicit Pair(std::uint64_t seed) : prng_(seed) { restart(); }

    void step() {
        in_transaction_ ? write_or_end() : begin_or_restart();
        look();
        CHECK(sqlite_->head() == memory_->head());
    }

  private:
    void restart() {
        in_transaction_ = false;
        sqlite_.reset();
        auto opened = SqliteStore::open(directory_.file("model.db"), {"first"});
        REQUIRE(opened);
        sqlite_ = std::move(*opened);
        memory_ = std::make_unique<MemoryStore>(model_);
    }

    void begin_or_restart() {
        if (prng_.chance(1, 12)) return restart();
        if (prng_.chance(1, 12)) {
            CHECK(sqlite_->reopen());
            CHECK(memory_->reopen());
            return;
        }
        if (prng_.chance(1, 6)) both([](Store& store) { CHECK(*store.erase_traces()); });
        CHECK(sqlite_->begin());
        CHECK(memory_->begin());
        in_transaction_ = true;
    }

    void write_or_end() {
        switch (prng_.below(13)) {
            case 12: {
                const std::string in = room();
                const auto offset = prng_.below(memory_->head().offset + 2);
                const std::string data(prng_.below(3000), 'y');
                same([&](Store& store) { return *store.find_entry(in, offset); });
                same([&](Store& store) { return *store.rewrite(in, offset, data); });
                return;
            }
            case 0:
                return restart();
            case 1: {
                sqlite_->rollback();
                memory_->rollback();
                in_transaction_ = false;
                return;
            }
            case 2:
            case 3: {
                CHECK(sqlite_->commit() == CommitOutcome::committed);
                CHECK(memory_->commit() == CommitOutcome::committed);
                in_transaction_ = false;
                return;
            }
            case 4: {
                ProducerRow row = test::producer(name(), prng_.next());
                row.epoch = prng_.next();
                CHECK(sqlite_->put_producer(row));
                CHECK(memory_->put_producer(row));
                return;
            }
            case 5:
            case 6: {
                const std::string who = name();
                const StoredVerdict verdict{
                    prng_.next(), prng_.chance(1, 2) ? accept(name()) : reject("no", name())};
                const std::uint64_t sequence = 1 + prng_.below(4);
                both([&](Store& store) {
                    CHECK(store.put_verdict(ProducerId(who), sequence, verdict));
                    CHECK(store.put_producer(test::producer(who)));
                });
                return;
            }
            case 7:
            case 8: {
                const OnceRow row{name(), name(), ++once_offset_};
                const std::string id = name();
                both([&](Store& store) { CHECK(store.put_once(id, row)); });
                return;
            }
            default: {
                const std::string to = room();
                const std::string data(prng_.below(3000), 'x');
                both([&](Store& store) { CHECK(test::append(store, to, data)); });
            }
        }
    }

    void look() {
        const std::string who = name();
        const std::string scope = name();
        const std::string body = name();
        const std::uint64_t sequence = 1 + prng_.below(5);
        const std::string in = room();
        same([&](Store& store) { return *store.find_producer(ProducerId(who)); });
        same([&](Store& store) { return *store.find_verdict(ProducerId(who), sequence); });
        same([&](Store& store) { return *store.find_once(who, scope, body); });
        same([&](Store& store) { return *store.next_room_seq(in); });

        std::vector<std::string> rooms;
        for (auto left = prng_.below(5); left > 0; --left) rooms.push_back(room());
        const auto after = prng_.below(memory_->head().offset + 2);
        const auto entries_max = static_cast<std::uint32_t>(prng_.below(8));
        const auto bytes_max = prng_.below(10'000);
        same([&](Store& store) { return *store.read(rooms, after, entries_max, bytes_max); });
    }

    template <class Call>
    void both(Call call) {
        call(*sqlite_);
        call(*memory_);
    }
    template <class Question>
    void same(Question question) {
        CHECK((question(*sqlite_) == question(*memory_)));
    }

    std::string name() { return std::string(1, "abcd"[prng_.below(4)]); }
    std::string room() { return "/," + name(); }

    Prng prng_;
    test::SqliteDisk disk_;
    test::TemporaryDirectory
        directory_;  // the bytes are on the disk above; the names are taken here
    MemoryDisk model_{{"first"}, {}};
    std::unique_ptr<SqliteStore> sqlite_;
    std::unique_ptr<MemoryStore> memory_;
    bool in_transaction_ = false;
    delivery::Offset once_offset_ = 0;
};

}  // namespace

TEST_CASE("the SQLite store and the reference model answer alike, whatever they are asked") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        Pair pair(seed);
        for (int i = 0; i < 200; ++i) pair.step();
    }
}

}  // namespace store_sqlite_model_test
