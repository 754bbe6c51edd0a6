// What a batch shows of itself before it is stored, and what is left of it when it is not.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/store/memory/memory_store.hpp"
#include "server/store/overlay/overlay.hpp"
#include "tests/unit/store/contract.hpp"

namespace store_overlay_test {

using namespace oncewire;
using namespace oncewire::store;

namespace {

const ProducerId ann("ann");
const ProducerId bob("bob");

/// A store in which something of everything is committed.
struct Bench {
    MemoryDisk disk{{"e"}, {}};
    MemoryFaults faults;
    MemoryStore store{disk, &faults};
    Overlay overlay{store};

    Bench() {
        CHECK(*overlay.log.append("/,a", "1", UnixMillis{1}) == 1);
        overlay.senders.put(test::producer("ann", 1));
        overlay.senders.put_verdict(ann, 1, {7, accept("1"), std::nullopt});
        overlay.once.put("id", {"text", "ann", 1});
        overlay.tasks.put({1, "key", "task", "1"});
        overlay.questions.put({1, ann, "key", "/", "[\"q\"]", UnixMillis{9}});
        CHECK(overlay.sessions.put(session("p", {{"/,a", 1}})));
        commit();
    }
    static SessionRow session(const std::string& pid, std::vector<Membership> rooms) {
        return {pid, "sid", "/", "", {{"e"}, 1}, {1}, true, std::move(rooms)};
    }
    void commit() { CHECK(overlay.write().outcome == WriteOutcome::committed); }
    std::string data_at(delivery::Offset offset) {
        const auto entry = *overlay.log.find("/,a", offset);
        return entry ? entry->data : "none";
    }
    std::size_t count_once(const char* scope, const char* body) {
        return overlay.once.find("id", scope, body)->size();
    }
    Facts fetch(const Wanted& wanted) { return *store.fetch(wanted); }
    std::vector<TaskRow> tasks() {
        Wanted wanted;
        wanted.tasks = {0, test::many};
        return fetch(wanted).tasks;
    }
};

}  // namespace

TEST_CASE("nothing of a batch reaches the database before it is written, and then all of it does") {
    Bench bench;
    const MemoryDisk before = bench.disk;
    Overlay& overlay = bench.overlay;
    CHECK(*overlay.log.append("/,a", "2", UnixMillis{2}) == 2);
    CHECK(overlay.log.record({0, "/", {"/,a"}, {}, "[\"e\"]", {}, {2}}) == 3);
    CHECK(*overlay.log.append("/,b", "3", UnixMillis{2}) == 4);
    CHECK(*overlay.log.rewrite("/,a", 1, "rewritten"));
    overlay.senders.put(test::producer("bob", 1));
    overlay.senders.put_verdict(bob, 1, {5, accept(), std::nullopt});
    overlay.once.put("id", {"other", "bob", 2});
    overlay.tasks.put({2, "key", "task", "2"});
    overlay.tasks.end(1);
    overlay.questions.put({2, bob, "another", "/", "[\"q\"]", UnixMillis{9}});
    overlay.questions.end(1, ann);
    CHECK(overlay.sessions.drop("p"));
    CHECK(bench.disk == before);
    CHECK(bench.store.head().offset == 1);
    CHECK(overlay.head() == LogHead{{"e"}, 4});

    SECTION("written") {
        bench.commit();
        const MemoryTables& tables = bench.disk.tables;
        CHECK(bench.disk.head() == overlay.head());
        CHECK(tables.log[0].data == "rewritten");
        CHECK(tables.log[1] == LogEntry{2, "/,a", 2, "2", {2}, 1});
        CHECK(tables.log[2] == LogEntry{4, "/,b", 1, "3", {2}, 0});
        CHECK(tables.sessions.recorded.at(3).offset == 3);
        CHECK(tables.producers.size() == 2);
        CHECK(tables.verdicts.at(bob).at(1).digest == 5);
        CHECK(tables.once.at("id").size() == 2);
        CHECK(bench.tasks().size() == 1);
        CHECK(tables.questions.begin()->second.key == "another");
        CHECK(tables.sessions.rows.empty());
        CHECK(overlay.written().entries.size() == 2);
        CHECK(overlay.batch().entries.empty());
    }
    SECTION("dropped") {
        overlay.drop();
        CHECK(overlay.head() == LogHead{{"e"}, 1});
        CHECK(bench.data_at(1) == "1");
        CHECK(overlay.sessions.find("p")->has_value());
        bench.commit();
        CHECK(bench.disk == before);
    }
}

TEST_CASE("of the log a batch shows what it appends and rewrites, each under its own room") {
    Bench bench;
    LogOverlay& log = bench.overlay.log;
    CHECK(log.next_offset() == 2);
    CHECK(*log.append("/,a", "2", UnixMillis{2}) == 2);
    CHECK(log.record({0, "/", {"/,a"}, {}, "[\"e\"]", {}, {2}}) == 3);
    CHECK(**log.find("/,a", 2) == LogEntry{2, "/,a", 2, "2", {2}, 1});
    for (const delivery::Offset offset : {3, 4, 99}) CHECK(bench.data_at(offset) == "none");
    CHECK_FALSE(*log.find("/,b", 1));
    CHECK_FALSE(*log.find("/,b", 2));
    CHECK_FALSE(*log.rewrite("/,b", 2, "x"));
    CHECK(*log.rewrite("/,a", 1, "once"));
    CHECK(*log.rewrite("/,a", 1, "twice"));
    CHECK(*log.rewrite("/,a", 2, "anew"));
    CHECK(bench.data_at(1) == "twice");
    CHECK(bench.data_at(2) == "anew");
    bench.commit();
    CHECK(bench.overlay.written().rewritten.size() == 2);  // of what was stored before alone
    CHECK(bench.overlay.written().entries[0].data == "anew");
    CHECK(bench.data_at(1) == "twice");
    CHECK(bench.data_at(2) == "anew");
}

TEST_CASE(
    "what was appended and rewritten since the mark is undone, and rooms count on from there") {
    Bench bench;
    LogOverlay& log = bench.overlay.log;
    CHECK(log.append("/,a", "2", UnixMillis{2}));
    CHECK(log.rewrite("/,a", 1, "kept"));
    bench.overlay.mark();
    for (int i = 0; i < 2; ++i) {
        CHECK(*log.append("/,a", "undone", UnixMillis{2}) == 3);
        CHECK(*log.append("/,new", "undone", UnixMillis{2}) == 4);
        CHECK(log.rewrite("/,a", 1, "undone"));
        CHECK(log.rewrite("/,a", 2, "undone"));
        CHECK(bench.overlay.undo());
        CHECK(bench.overlay.head().offset == 2);
        CHECK(bench.data_at(1) == "kept");
        CHECK(bench.data_at(2) == "2");
        CHECK(bench.data_at(3) == "none");
    }
    CHECK(log.append("/,a", "3", UnixMillis{2}));
    CHECK(**log.find("/,a", 3) == LogEntry{3, "/,a", 3, "3", {2}, 2});
    bench.commit();
    CHECK(bench.disk.tables.rooms.size() == 1);
    CHECK(*log.append("/,new", "4", UnixMillis{2}) == 4);
    CHECK((*log.find("/,new", 4))->room_seq == 1);
}

TEST_CASE("rooms are counted right after a batch that was not stored, whatever became of it") {
    Bench bench;
    LogOverlay& log = bench.overlay.log;
    const auto fate = GENERATE(0, 1, 2, 3);
    CHECK(log.append("/,a", "lost", UnixMillis{2}));
    CHECK(log.append("/,new", "lost", UnixMillis{2}));
    if (fate == 0) {
        bench.faults.writes = StoreError::full;
        const auto written = bench.overlay.write();
        CHECK(written.outcome == WriteOutcome::refused);
        CHECK(written.error == StoreError::full);
        CHECK(bench.overlay.written().entries.size() == 2);
        bench.faults.writes.reset();
    }
    if (fate == 1) bench.overlay.drop();
    if (fate >= 2) {
        using Commit = MemoryFaults::Commit;
        bench.faults.next_commit = fate == 2 ? Commit::fails_and_lands : Commit::fails_and_vanishes;
        CHECK(bench.overlay.write().outcome == WriteOutcome::unknown);
        CHECK(log.append("/,new", "not yet", UnixMillis{2}).error() == StoreError::io);
        CHECK(bench.overlay.reopen());
    }
    const std::uint64_t landed = fate == 2 ? 1 : 0;
    CHECK(bench.overlay.head().offset == 1 + 2 * landed);
    const auto offset = *log.append("/,a", "kept", UnixMillis{2});
    CHECK((*log.find("/,a", offset))->room_seq == 2 + landed);
    CHECK((*log.find("/,a", offset))->before == 1 + landed);
    CHECK(log.append("/,new", "kept", UnixMillis{2}));
    CHECK((*log.find("/,new", offset + 1))->room_seq == 1 + landed);
    bench.commit();
}

TEST_CASE("who is not the writer any more hears so, and everything that was numbered goes on") {
    Bench bench;
    MemoryStore store(bench.disk);
    Overlay newer(store);
    CHECK(bench.overlay.log.append("/,a", "late", UnixMillis{2}));
    CHECK(bench.overlay.write().outcome == WriteOutcome::moved);
    CHECK(bench.overlay.head().offset == 1);
    CHECK(newer.log.append("/,a", "2", UnixMillis{2}));
    newer.tasks.put({2, "key", "task", "2"});
    CHECK(newer.write().outcome == WriteOutcome::committed);

    CHECK(bench.overlay.reopen());
    CHECK(bench.overlay.head().offset == 2);
    CHECK(bench.overlay.tasks.last() == 2);
    CHECK(*bench.overlay.log.append("/,a", "3", UnixMillis{2}) == 3);
    CHECK((*bench.overlay.log.find("/,a", 3))->room_seq == 3);
    bench.commit();
}

TEST_CASE("of producers a batch shows its rows and verdicts, by number and by digest") {
    Bench bench;
    SenderOverlay& senders = bench.overlay.senders;
    CHECK_FALSE(senders.find(bob)->has_value());
    senders.put_verdict(bob, 2, {14, accept("2"), std::nullopt});
    senders.put_verdict(bob, 1, {7, accept("1"), std::nullopt});
    CHECK_FALSE(senders.find(bob)->has_value());
    senders.put(test::producer("bob", 2));
    CHECK((*senders.find(bob))->seen.last == 2);
    CHECK((*senders.find_verdict(bob, 1))->digest == 7);
    CHECK((*senders.find_verdict(bob, 2))->digest == 14);
    CHECK_FALSE(senders.find_verdict(bob, 3)->has_value());
    CHECK(senders.find_by_digest(bob, 14)->verdict->verdict.body == "2");
    CHECK_FALSE(senders.find_by_digest(bob, 9)->verdict);

    ProducerRow row = **senders.find(ann);
    row.epoch = 9;
    senders.put(row);
    senders.put_verdict(ann, 1, {8, reject("no", "again"), std::nullopt});
    CHECK(**senders.find(ann) == row);
    CHECK((*senders.find_verdict(ann, 1))->digest == 8);
    CHECK(senders.find_by_digest(ann, 8)->verdict);
    bench.commit();
    CHECK(**senders.find(ann) == row);
    CHECK((*senders.find_verdict(ann, 1))->digest == 8);
    CHECK(bench.overlay.batch().senders.empty());
}

TEST_CASE("what a verdict was given on stays when the next message is undone") {
    Bench bench;
    bench.overlay.senders.put_verdict(ann, 2, {8, accept(), std::nullopt});
    bench.overlay.mark();
    CHECK(bench.overlay.undo());
    CHECK(bench.overlay.senders.find_verdict(ann, 2)->has_value());
}

TEST_CASE("ids that senders chose are found as they would be after the batch, and undone") {
    Bench bench;
    OnceOverlay& once = bench.overlay.once;
    once.put("id", {"bob's", "bob", 2});
    bench.overlay.mark();
    once.put("id", {"cleo's", "cleo", 3});
    once.put("fresh", {"cleo's", "cleo", 3});
    CHECK(bench.count_once("eve", "new") == 1);
    CHECK(bench.count_once("bob", "new") == 2);
    CHECK(bench.count_once("eve", "cleo's") == 2);
    CHECK(*once.find("id", "bob", "cleo's") ==
          std::vector{OnceRow{"text", "ann", 1}, {"bob's", "bob", 2}, {"cleo's", "cleo", 3}});
    CHECK(*once.find("fresh", "eve", "new") == std::vector{OnceRow{"cleo's", "cleo", 3}});
    CHECK(bench.overlay.undo());
    CHECK(bench.count_once("cleo", "cleo's") == 1);
    CHECK(bench.count_once("bob", "bob's") == 2);
    CHECK(once.find("fresh", "cleo", "cleo's")->empty());
    bench.commit();
    CHECK(bench.count_once("bob", "bob's") == 2);
    CHECK(bench.disk.tables.once.size() == 1);
}

TEST_CASE("the numbers of tasks and questions that were undone are not given again") {
    Bench bench;
    Overlay& overlay = bench.overlay;
    overlay.mark();
    overlay.tasks.put({2, "key", "undone", "1"});
    overlay.questions.put({2, ann, "undone", "/", "[\"q\"]", UnixMillis{9}});
    CHECK(overlay.undo());
    CHECK(overlay.tasks.last() == 2);
    CHECK(overlay.questions.last() == 2);
    overlay.tasks.put({3, "key", "dropped", "1"});
    overlay.drop();
    CHECK(overlay.tasks.last() == 3);
    overlay.tasks.put({4, "key", "kept", "1"});
    bench.commit();
    CHECK(bench.tasks().size() == 2);
    CHECK(bench.tasks().back().id == 4);
    CHECK(overlay.reopen());
    CHECK(overlay.tasks.last() == 4);
    CHECK(overlay.questions.last() == 2);
}

TEST_CASE("a question is found, counted and ended in the batch that asks it") {
    Bench bench;
    QuestionOverlay& questions = bench.overlay.questions;
    const QuestionRow second{2, ann, "second", "/", "[\"q\"]", UnixMillis{9}};
    questions.put(second);
    CHECK(*questions.find("second") == second);
    CHECK(*questions.find(ann, 2) == second);
    CHECK_FALSE(questions.find(bob, 2)->has_value());
    CHECK((*questions.find(ann, 1))->key == "key");
    CHECK_FALSE(questions.find(bob, 1)->has_value());
    CHECK_FALSE(questions.find(ann, 0)->has_value());
    CHECK_FALSE(questions.find(ann, 3)->has_value());
    CHECK(*questions.count(ann) == 2);
    CHECK(*questions.count(bob) == 0);

    bench.overlay.mark();
    questions.end(1, ann);
    questions.end(2, ann);
    questions.end(2, ann);
    for (const char* key : {"key", "second"}) CHECK_FALSE(questions.find(key)->has_value());
    for (const std::uint64_t id : {1, 2}) CHECK_FALSE(questions.find(ann, id)->has_value());
    CHECK(*questions.count(ann) == 0);
    SECTION("undone") {
        CHECK(bench.overlay.undo());
        CHECK(*questions.count(ann) == 2);
        CHECK(*questions.find("second") == second);
        CHECK(questions.find("key")->has_value());
    }
    SECTION("asked again under the same key") {
        const QuestionRow third{3, bob, "key", "/", "[\"q\"]", UnixMillis{9}};
        questions.put(third);
        CHECK(*questions.find("key") == third);
        CHECK(*questions.count(bob) == 1);
        bench.commit();
        CHECK(*questions.find("key") == third);
        CHECK_FALSE(questions.find("second")->has_value());
        CHECK(bench.disk.tables.questions.size() == 1);
    }
}

TEST_CASE("who is in which room is known as the batch leaves it") {
    Bench bench;
    SessionOverlay& sessions = bench.overlay.sessions;
    using Pids = std::vector<std::string>;
    CHECK(sessions.put(Bench::session("q", {{"/,b", 1}, {"/,a", 1}})));
    CHECK((*sessions.find("q"))->rooms == std::vector<Membership>{{"/,a", 1}, {"/,b", 1}});
    CHECK(*sessions.in({"/,a"}) == Pids{"p", "q"});
    CHECK(*sessions.in({"/,b"}) == Pids{"q"});
    CHECK(sessions.join("p", {"/,b", 2}));
    CHECK(sessions.join("p", {"/,b", 9}));
    CHECK(sessions.join("nobody", {"/,b", 2}));
    CHECK(sessions.leave("p", "/,a"));
    CHECK(sessions.leave("nobody", "/,a"));
    CHECK((*sessions.find("p"))->rooms == std::vector<Membership>{{"/,b", 2}});
    CHECK(*sessions.in({"/,a"}) == Pids{"q"});
    CHECK(*sessions.in({"/,a", "/,b"}) == Pids{"p", "q"});
    CHECK(sessions.drop("q"));
    CHECK_FALSE(sessions.find("q")->has_value());
    CHECK_FALSE(sessions.find("nobody")->has_value());
    CHECK(sessions.in({"/,a"})->empty());
    bench.commit();
    CHECK(*sessions.in({"/,a", "/,b"}) == Pids{"p"});
    CHECK(bench.disk.tables.sessions.rows.size() == 1);
    CHECK((*sessions.find("p"))->rooms == std::vector<Membership>{{"/,b", 2}});
}

TEST_CASE("what a session was before the batch is said with what it is after it") {
    Bench bench;
    SessionOverlay& sessions = bench.overlay.sessions;
    const SessionRow before = **sessions.find("p");
    CHECK(sessions.join("p", {"/,b", 2}));
    CHECK(sessions.drop("p"));
    CHECK(sessions.put(Bench::session("q", {})));
    const auto& changes = bench.overlay.batch().sessions;
    CHECK(changes.at("p") == SessionChange{before, std::nullopt});
    CHECK(changes.at("q") == SessionChange{std::nullopt, Bench::session("q", {})});
}

TEST_CASE("while the store cannot be read, what the batch knows itself is known all the same") {
    Bench bench;
    Overlay& overlay = bench.overlay;
    CHECK(overlay.log.append("/,a", "2", UnixMillis{2}));
    overlay.senders.put(test::producer("bob", 1));
    bench.faults.reads = StoreError::busy;
    CHECK(bench.data_at(2) == "2");
    CHECK(overlay.log.append("/,a", "3", UnixMillis{2}));
    CHECK((*overlay.senders.find(bob))->seen.last == 1);
    CHECK(overlay.log.append("/,b", "never", UnixMillis{2}).error() == StoreError::busy);
    CHECK(overlay.log.find("/,a", 1).error() == StoreError::busy);
    CHECK(overlay.log.rewrite("/,a", 1, "never").error() == StoreError::busy);
    CHECK(overlay.senders.find(ann).error() == StoreError::busy);
    CHECK(overlay.senders.find_verdict(bob, 1).error() == StoreError::busy);
    CHECK(overlay.senders.find_by_digest(bob, 1).error() == StoreError::busy);
    CHECK(overlay.once.find("id", "ann", "text").error() == StoreError::busy);
    CHECK(overlay.questions.find("key").error() == StoreError::busy);
    CHECK(overlay.questions.find(ann, 1).error() == StoreError::busy);
    CHECK(overlay.questions.count(ann).error() == StoreError::busy);
    CHECK(overlay.sessions.find("p").error() == StoreError::busy);
    CHECK(overlay.sessions.join("p", {"/,b", 2}).error() == StoreError::busy);
    CHECK(overlay.sessions.in({"/,a"}).error() == StoreError::busy);
    CHECK(overlay.sessions.pruned().error() == StoreError::busy);
    CHECK(overlay.head().offset == 3);
    bench.commit();
    CHECK(bench.disk.tables.log.size() == 3);
}

}  // namespace store_overlay_test
