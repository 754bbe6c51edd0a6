#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
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
using oncewire::test::many;
using oncewire::test::StoreUser;

namespace {

/// The same calls on both stores; every answer must be the same.
class Pair {
    /// Of everything something, by chance.
    auto answers(StoreUser& store) {
        const ProducerId who(name());
        const std::string text = name();
        const std::string scope = name();
        const std::string body = name();
        const auto digest = digest_of(who);
        const auto sequence = 1 + prng_.below(9);
        const auto offset = 1 + prng_.below(store.head().offset + 1);
        const std::vector<std::string> rooms{room(), room()};
        return std::tuple(*store.find_producer(who), *store.find_verdict(who, sequence),
                          store.find_by_digest(who, digest)->verdict,
                          *store.find_once(text, scope, body), *store.find_entry(rooms[0], offset),
                          *store.find_question(text), *store.count_questions_to(who),
                          *store.find_session(text), *store.sessions_in(rooms), store.head());
    }

  public:
    explicit Pair(std::uint64_t seed) : prng_(seed) { restart(); }

    void step() {
        if (prng_.chance(1, 20)) {
            end_life();
        } else if (prng_.chance(1, 5)) {
            end_batch();
        } else {
            add();
        }
        ask();
        fetch();
        read();
        CHECK(sqlite_->head() == memory_->head());
    }

  private:
    void end_life() {
        if (prng_.chance(1, 2)) return restart();
        both([](StoreUser& store) { CHECK(store.reopen()); });
    }

    void restart() {
        sqlite_.reset();
        memory_.reset();
        sqlite_store_.reset();
        auto opened = SqliteStore::open(directory_.file("model.db"), {"first"});
        REQUIRE(opened);
        sqlite_store_ = std::move(*opened);
        memory_store_.emplace(model_);
        sqlite_.emplace(*sqlite_store_);
        memory_.emplace(*memory_store_);
        same([](StoreUser& store) { return store.store().numbers(); });
    }

    // ---- a batch --------------------------------------------------------------------------------

    void end_batch() {
        switch (prng_.below(6)) {
            case 0:
                return both([](StoreUser& store) { store.rollback(); });
            case 1: {
                Batch late;
                late.from = {{"first"}, memory_->store().head().offset + 1};
                late.to = late.from.offset;
                both([&](StoreUser& store) {
                    CHECK(store.store().write(late).outcome == WriteOutcome::moved);
                });
                return;
            }
            case 2:
                both([](StoreUser& store) { store.rollback(); });
                add_upkeep();
                return commit();
            case 3:
                commit();
                return both([](StoreUser& store) { CHECK(*store.erase_traces()); });
            default:
                return commit();
        }
    }

    /// What was found before it is found after it, when nothing was tidied beside it.
    void commit() {
        const Prng before = prng_;
        const auto found = answers(*memory_);
        prng_ = before;
        const bool is_tidied = is_tidied_;
        is_tidied_ = false;
        both([](StoreUser& store) { CHECK(store.commit() == WriteOutcome::committed); });
        same([](StoreUser& store) {
            const Written& written = store.written();
            return std::tuple(written.trimmed, written.is_trimmed, written.leases_ended,
                              written.are_leases_ended);
        });
        same([](StoreUser& store) { return store.store().numbers(); });
        if (!is_tidied) CHECK((answers(*memory_) == found));
    }

    void add_upkeep() {
        is_tidied_ = true;
        Upkeep upkeep;
        if (prng_.chance(1, 6)) upkeep.drops_sessions = true;
        if (prng_.chance(1, 4)) upkeep.restart_sessions = {time(), Millis{10}};
        if (prng_.chance(1, 3)) upkeep.drop_unseen_before = time();
        if (prng_.chance(1, 3)) upkeep.prune = {prng_.below(8), prng_.below(9'000), time()};
        if (prng_.chance(1, 3)) {
            Retention retention;
            if (prng_.chance(1, 2)) retention.rules.push_back({room(), {}, 1 + prng_.below(4)});
            if (prng_.chance(1, 2)) retention.rules.push_back({"", Millis{20}, {}});
            upkeep.trim = {retention, time(), many};
        }
        for (const auto& [id, said] : said_) {
            const auto row = *memory_->find_producer(id);
            if (!row) continue;
            if (prng_.chance(1, 4)) upkeep.renewed.emplace_back(id, time());
            const bool has_verdicts = row->forgotten < row->seen.last;
            if (has_verdicts && prng_.chance(1, 6)) upkeep.forgotten.push_back(id);
            if (prng_.chance(1, 4)) upkeep.prepare_digests.push_back(id);
        }
        upkeep.verdicts_max = static_cast<std::uint32_t>(1 + prng_.below(6));
        upkeep.digests_max = static_cast<std::uint32_t>(1 + prng_.below(6));
        both([&](StoreUser& store) { store.overlay().upkeep() = upkeep; });
    }

    /// What the sequencer could put into a batch.
    void add() {
        switch (prng_.below(11)) {
            case 0:
                return rewrite();
            case 1:
                return put_producer();
            case 2:
            case 3:
                return say();
            case 4:
                return put_once();
            case 5:
                return put_session();
            case 6: {
                const RecordedEvent event{
                    0, "/", {room()}, {room()}, std::string(prng_.below(3000), 'r'), {}, time()};
                return both([&](StoreUser& store) { store.record(event); });
            }
            case 7:
                return work();
            case 8:
                return mark_and_undo();
            default:
                return append();
        }
    }

    void append() {
        const std::string to = room();
        const std::string data(prng_.below(3000), 'x');
        const UnixMillis at = time();
        same([&](StoreUser& store) { return *store.append(to, data, at); });
    }

    void rewrite() {
        const std::string in = room();
        const auto offset = prng_.below(memory_->head().offset + 2);
        const std::string data(prng_.below(3000), 'y');
        same([&](StoreUser& store) { return *store.find_entry(in, offset); });
        same([&](StoreUser& store) { return *store.rewrite(in, offset, data); });
        same([&](StoreUser& store) { return *store.find_entry(in, offset); });
    }

    void put_producer() {
        const ProducerId id(name());
        ProducerRow row = (*memory_->find_producer(id)).value_or(test::producer(id.text));
        row.epoch = prng_.next();
        row.user = name();
        row.last_contact = time();
        said_.try_emplace(id);
        both([&](StoreUser& store) { CHECK(store.put_producer(row)); });
    }

    /// A message: its verdict, and the mark that moves with it.
    void say() {
        const ProducerId id(name());
        ProducerRow row = (*memory_->find_producer(id)).value_or(test::producer(id.text));
        row.seen = {row.seen.last + 1, prng_.next()};
        row.last_contact = time();
        const StoredVerdict verdict{
            row.seen.last_digest, prng_.chance(1, 2) ? accept(name()) : reject("no", name()),
            Publication{1 + prng_.below(9), static_cast<std::uint32_t>(prng_.below(3))}};
        said_[id].push_back(row.seen.last_digest);
        both([&](StoreUser& store) {
            CHECK(store.put_verdict(id, row.seen.last, verdict));
            CHECK(store.put_producer(row));
        });
    }

    void put_once() {
        const OnceRow row{name(), name(), ++once_offset_};
        const std::string id = name();
        both([&](StoreUser& store) { CHECK(store.put_once(id, row)); });
    }

    void put_session() {
        const std::string pid = name();
        const std::string in = room();
        switch (prng_.below(5)) {
            case 0:
                return both([&](StoreUser& store) { CHECK(store.drop_session(pid)); });
            case 1:
                return both([&](StoreUser& store) { CHECK(store.leave_session(pid, in)); });
            case 2: {
                const SessionRow row{pid,
                                     name(),
                                     "/",
                                     name(),
                                     {{"first"}, memory_->head().offset},
                                     time(),
                                     prng_.chance(1, 2),
                                     {{in, prng_.below(20)}}};
                return both([&](StoreUser& store) { CHECK(store.put_session(row)); });
            }
            default: {
                const Membership membership{in, memory_->head().offset};
                return both([&](StoreUser& store) { CHECK(store.join_session(pid, membership)); });
            }
        }
    }

    void work() {
        const std::string text = name();
        if (prng_.chance(1, 4)) {
            const auto id = 1 + prng_.below(memory_->last_task() + 1);
            return both([&](StoreUser& store) { CHECK(store.erase_task(id)); });
        }
        if (prng_.chance(1, 3)) {
            const TaskRow row{memory_->last_task() + 1, "key", text, "[1]"};
            return both([&](StoreUser& store) { CHECK(store.put_task(row)); });
        }
        const auto known = *memory_->find_question(text);
        if (known) {
            return both([&](StoreUser& store) {
                CHECK(store.erase_question(known->id, known->recipient));
            });
        }
        const QuestionRow row{
            memory_->last_question() + 1, ProducerId(name()), text, "/", "[\"q\"]", time()};
        both([&](StoreUser& store) { CHECK(store.put_question(row)); });
    }

    /// What a handler does that then rejects its message.
    void mark_and_undo() {
        both([](StoreUser& store) { CHECK(store.mark()); });
        const Prng before = prng_;
        const auto found = answers(*memory_);
        for (auto left = prng_.below(4); left > 0; --left) {
            const auto what = prng_.below(4);
            if (what == 0) rewrite();
            if (what == 1) put_once();
            if (what == 2) work();
            if (what == 3) append();
        }
        both([](StoreUser& store) { CHECK(store.undo()); });
        const Prng after = std::exchange(prng_, before);
        CHECK((answers(*memory_) == found));
        prng_ = after;
    }

    // ---- what is asked --------------------------------------------------------------------------

    void ask() {
        const Prng before = prng_;
        const auto found = answers(*sqlite_);
        prng_ = before;
        CHECK((answers(*memory_) == found));
        const std::string in = room();
        same([&](StoreUser& store) { return *store.next_room_seq(in); });
    }

    void fetch() {
        const Wanted wanted = want();
        const auto sqlite = sqlite_store_->fetch(wanted);
        const auto memory = memory_store_->fetch(wanted);
        REQUIRE((sqlite && memory));
        CHECK((sqlite->rooms == memory->rooms));
        CHECK((sqlite->entries == memory->entries));
        CHECK((sqlite->producers == memory->producers));
        CHECK((sqlite->verdicts == memory->verdicts));
        REQUIRE(sqlite->digests.size() == memory->digests.size());
        for (std::size_t i = 0; i < sqlite->digests.size(); ++i) {
            CHECK(sqlite->digests[i].is_ready);
            CHECK((sqlite->digests[i].verdict == memory->digests[i].verdict));
        }
        CHECK((sqlite->once == memory->once));
        CHECK((sqlite->questions == memory->questions));
        CHECK((sqlite->questions_to == memory->questions_to));
        CHECK((sqlite->question_counts == memory->question_counts));
        CHECK((sqlite->sessions == memory->sessions));
        CHECK((sqlite->members == memory->members));
        CHECK((sqlite->pruned == memory->pruned));
        CHECK((sqlite->tasks == memory->tasks));
        CHECK((sqlite->expiring_questions == memory->expiring_questions));
        check_idle(*sqlite, *memory, wanted);
    }

    /// Whoever was away equally long comes in any order.
    void check_idle(const Facts& sqlite, const Facts& memory, const Wanted& wanted) {
        const auto contacts = [&](const std::vector<ProducerId>& ids) {
            std::vector<std::int64_t> found;
            for (const auto& id : ids)
                found.push_back(model_.tables.producers[id].last_contact.value);
            return found;
        };
        CHECK(contacts(sqlite.idle_producers) == contacts(memory.idle_producers));
        if (!wanted.idle_producers || wanted.idle_producers->count_max < many) return;
        CHECK(std::set(sqlite.idle_producers.begin(), sqlite.idle_producers.end()) ==
              std::set(memory.idle_producers.begin(), memory.idle_producers.end()));
    }

    Wanted want() {
        Wanted wanted;
        const auto some = [this] { return prng_.below(3); };
        const auto count = [this] {
            return prng_.chance(1, 2) ? many : static_cast<std::uint32_t>(prng_.below(4));
        };
        const auto after = prng_.below(5);
        for (auto left = some(); left > 0; --left) wanted.rooms.push_back(room());
        for (auto left = some(); left > 0; --left)
            wanted.entries.push_back({room(), prng_.below(memory_->head().offset + 2)});
        for (auto left = some(); left > 0; --left) wanted.producers.push_back(ProducerId(name()));
        for (auto left = some(); left > 0; --left)
            wanted.verdicts.push_back({ProducerId(name()), 1 + prng_.below(9)});
        for (auto left = some(); left > 0; --left) {
            const ProducerId who(name());
            wanted.digests.push_back({who, digest_of(who)});
        }
        for (auto left = some(); left > 0; --left) wanted.once.push_back({name(), name(), name()});
        for (auto left = some(); left > 0; --left) wanted.questions.push_back(name());
        for (auto left = some(); left > 0; --left)
            wanted.questions_to.push_back({ProducerId(name()), after, count()});
        for (auto left = some(); left > 0; --left)
            wanted.question_counts.push_back(ProducerId(name()));
        for (auto left = some(); left > 0; --left) wanted.sessions.push_back(name());
        for (auto left = some(); left > 0; --left) wanted.members_of.push_back(room());
        wanted.pruned = prng_.chance(1, 2);
        if (prng_.chance(1, 2)) wanted.tasks = {after, count()};
        if (prng_.chance(1, 2)) wanted.expiring_questions = {time(), count()};
        if (prng_.chance(1, 2)) wanted.idle_producers = {time(), count()};
        return wanted;
    }

    void read() {
        std::vector<std::string> rooms;
        for (auto left = prng_.below(5); left > 0; --left) rooms.push_back(room());
        const std::string in = room();
        const auto after = prng_.below(memory_->head().offset + 2);
        const auto entries_max = static_cast<std::uint32_t>(prng_.below(8));
        const auto bytes_max = prng_.below(10'000);
        same([&](StoreUser& store) { return *store.read(rooms, after, entries_max, bytes_max); });
        same([&](StoreUser& store) {
            return *store.read_before(in, after, entries_max, bytes_max);
        });
        same([&](StoreUser& store) {
            return *store.read_recorded(rooms, after, entries_max, bytes_max);
        });
        same([&](StoreUser& store) { return *store.trimmed_to(rooms); });
    }

    // ---- chance ---------------------------------------------------------------------------------

    template <class Call>
    void both(Call call) {
        call(*sqlite_);
        call(*memory_);
    }
    template <class Question>
    void same(Question question, int line = __builtin_LINE()) {
        INFO("asked in line " << line);
        CHECK((question(*sqlite_) == question(*memory_)));
    }

    std::string name() { return std::string(1, "abcd"[prng_.below(4)]); }
    std::string room() { return "/," + name(); }
    UnixMillis time() { return {static_cast<std::int64_t>(prng_.below(60))}; }
    /// Mostly one that they said.
    delivery::Digest digest_of(const ProducerId& id) {
        const auto& said = said_[id];
        const auto one = prng_.below(said.size() + 1);
        return one < said.size() ? said[one] : 1;
    }

    Prng prng_;
    test::SqliteDisk disk_;
    test::TemporaryDirectory
        directory_;  // the bytes are on the disk above; the names are taken here
    MemoryDisk model_{{"first"}, {}};
    std::unique_ptr<SqliteStore> sqlite_store_;
    std::optional<MemoryStore> memory_store_;
    std::optional<StoreUser> sqlite_, memory_;
    std::map<ProducerId, std::vector<delivery::Digest>> said_;  // also what was rolled back
    bool is_tidied_ = false;                                    // by this batch
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
