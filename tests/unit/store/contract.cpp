#include "tests/unit/store/contract.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>

namespace oncewire::test {
namespace {

using store::CommitOutcome;
using store::LogEntry;
using store::LogHead;
using store::OnceRow;
using store::Store;
using store::StoredVerdict;

std::vector<delivery::Offset> offsets(
    const Result<std::vector<LogEntry>, store::StoreError>& page) {
    std::vector<delivery::Offset> result;
    for (const LogEntry& entry : *page) result.push_back(entry.offset);
    return result;
}
using Offsets = std::vector<delivery::Offset>;

Offsets befores(const std::vector<LogEntry>& entries) {
    Offsets found;
    for (const auto& entry : entries) found.push_back(entry.before);
    return found;
}

void check_log(StoreMachine& machine) {
    SECTION("a new store is empty and has the epoch it was given") {
        CHECK(machine.store().head() == LogHead{{"first"}, 0});
        CHECK(read_all(machine.store(), {"/,a"}).empty());
        CHECK(*machine.store().next_room_seq("/,a") == 1);
    }

    SECTION("an entry comes back with every byte it was given") {
        const std::string odd("[\"\0\xff\xf0\x9f\x98\x80\"]", 10);
        Store& store = machine.store();
        CHECK(store.begin());
        const LogEntry first{1, "/,a", 1, odd, UnixMillis{-5}};
        const LogEntry second{2, "/,a", 2, "", UnixMillis{1'700'000'000'000}, 1};
        CHECK(store.append(first));
        CHECK(store.append(second));
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(read_all(store, {"/,a"}) == std::vector<LogEntry>{first, second});
        machine.restart();
        CHECK(read_all(machine.store(), {"/,a"}) == std::vector<LogEntry>{first, second});
    }

    SECTION("each entry knows which came before it in its room") {
        Store& store = machine.store();
        commit_one(store, "/,a", "1");
        CHECK(store.begin());
        CHECK(*append(store, "/,b", "lost") == 0);
        CHECK(*append(store, "/,a", "lost") == 1);
        CHECK(*append(store, "/,a", "lost") == 3);
        store.rollback();
        commit_one(store, "/,b", "2");
        CHECK(store.begin());
        CHECK(store.mark());
        CHECK(*append(store, "/,a", "undone") == 1);
        CHECK(store.undo());
        CHECK(*append(store, "/,a", "3") == 1);
        CHECK(store.commit() == CommitOutcome::committed);
        commit_one(store, "/,a", "4");
        machine.restart();
        Store& again = machine.store();
        CHECK(befores(*again.read({"/,a", "/,b"}, 0, many, many)) == Offsets{0, 0, 1, 3});
        CHECK(befores(*again.read({"/,a"}, 2, many, many)) == Offsets{1, 3});
        CHECK(befores(*again.read({"/,a"}, 3, many, many)) == Offsets{3});
        CHECK(befores(*again.read_before("/,a", 5, 2, many)) == Offsets{3, 1});
        CHECK(befores(*again.read_before("/,a", 5, many, many)) == Offsets{3, 1, 0});
        CHECK(again.begin());
        CHECK(*append(again, "/,a", "5") == 4);
        CHECK(*append(again, "/,new", "6") == 0);
        CHECK(again.commit() == CommitOutcome::committed);
    }

    SECTION("each room counts by itself and without holes, over roll-backs and restarts") {
        Store& store = machine.store();
        commit_one(store, "/,a", "1");
        CHECK(store.begin());
        CHECK(append(store, "/,a", "lost"));
        CHECK(append(store, "/,new", "lost"));
        CHECK(*store.next_room_seq("/,a") == 3);
        store.rollback();
        CHECK(*store.next_room_seq("/,a") == 2);
        CHECK(*store.next_room_seq("/,new") == 1);
        commit_one(store, "/,b", "2");
        commit_one(store, "/,a", "3");
        machine.restart();
        CHECK(*machine.store().next_room_seq("/,a") == 3);
        CHECK(*machine.store().next_room_seq("/,b") == 2);
        commit_one(machine.store(), "/,a", "4");
        const auto entries = read_all(machine.store(), {"/,a"});
        CHECK(entries.size() == 3);
        CHECK(entries.back().room_seq == 3);
        CHECK(entries.back().offset == 4);
    }

    SECTION("an entry that is rewritten keeps its place, over roll-backs and restarts") {
        Store& store = machine.store();
        for (const char* data : {"1", "2", "3"}) commit_one(store, "/,a", data);
        const auto before = read_all(store, {"/,a"});
        CHECK(store.begin());
        CHECK(*store.rewrite("/,a", 2, "never"));
        CHECK((*store.find_entry("/,a", 2))->data == "never");
        store.rollback();
        CHECK(read_all(store, {"/,a"}) == before);

        CHECK(store.begin());
        CHECK(*store.rewrite("/,a", 2, "kept"));
        CHECK(store.mark());
        CHECK(*store.rewrite("/,a", 2, "undone"));
        CHECK(*store.rewrite("/,a", 3, "undone, too"));
        CHECK(store.undo());
        CHECK(store.head().offset == 3);
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(*store.erase_traces());
        for (int start = 0; start < 2; ++start) {
            auto now = read_all(machine.store(), {"/,a"});
            CHECK(now[1].data == "kept");
            now[1].data = "2";
            CHECK(now == before);
            CHECK(machine.store().read_before("/,a", 3, 1, many)->front().data == "kept");
            CHECK(*machine.store().next_room_seq("/,a") == 4);
            machine.restart();
        }
    }

    SECTION("what was appended can be rewritten in the same transaction") {
        Store& store = machine.store();
        CHECK(store.begin());
        CHECK(append(store, "/,a", "1"));
        CHECK(append(store, "/,a", "2"));
        CHECK(**store.find_entry("/,a", 2) == LogEntry{2, "/,a", 2, "2", UnixMillis{1}, 1});
        CHECK(*store.rewrite("/,a", 2, "shorter"));
        CHECK(*store.rewrite("/,a", 2, ""));
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(**store.find_entry("/,a", 2) == LogEntry{2, "/,a", 2, "", UnixMillis{1}, 1});
    }

    SECTION("there is nothing to rewrite in another room, beyond the end, or in what was removed") {
        Store& store = machine.store();
        for (const char* data : {"1", "2"}) commit_one(store, "/,a", data);
        commit_one(store, "/,b", "3");
        CHECK(store.begin());
        store::Retention retention;
        retention.rules.push_back({"/,a", {}, 1});
        CHECK(store.trim(retention, {}, many)->entries == 1);
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(store.begin());
        for (const char* room : {"/,a", "/,c"}) {
            for (const delivery::Offset offset : {1, 3, 4, 99}) {
                CHECK(!*store.rewrite(room, offset, "x"));
                CHECK(!*store.find_entry(room, offset));
            }
        }
        CHECK((*store.find_entry("/,a", 2))->before == 0);
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(read_all(store, {"/,a", "/,b"}).back().data == "3");
    }

    SECTION("the head inside a transaction is the head as it will be") {
        Store& store = machine.store();
        CHECK(store.begin());
        CHECK(append(store, "/,a", "1"));
        CHECK(append(store, "/,a", "2"));
        CHECK(store.head() == LogHead{{"first"}, 2});
        store.rollback();
        CHECK(store.head() == LogHead{{"first"}, 0});
    }

    SECTION("what was committed survives the process, and what was not is gone") {
        commit_one(machine.store(), "/,a", "1");
        CHECK(machine.store().begin());
        CHECK(append(machine.store(), "/,a", "2"));
        machine.restart();
        CHECK(machine.store().head() == LogHead{{"first"}, 1});
        CHECK(read_all(machine.store(), {"/,a"}).size() == 1);
    }

    SECTION("reopening shows what is committed and takes writes again") {
        commit_one(machine.store(), "/,a", "1");
        CHECK(machine.store().reopen());
        CHECK(machine.store().head() == LogHead{{"first"}, 1});
        commit_one(machine.store(), "/,a", "2");
        CHECK(read_all(machine.store(), {"/,a"}).size() == 2);
    }

    SECTION("an empty transaction commits") {
        CHECK(machine.store().begin());
        CHECK(machine.store().commit() == CommitOutcome::committed);
        CHECK(machine.store().head() == LogHead{{"first"}, 0});
    }
}

void check_reading(StoreMachine& machine) {
    Store& store = machine.store();
    // Offsets 1 to 9: a b c a b c a b c, ten bytes each.
    CHECK(store.begin());
    for (int i = 0; i < 9; ++i) {
        CHECK(append(store, std::string("/,") + "abc"[i % 3], "0123456789"));
    }
    CHECK(store.commit() == CommitOutcome::committed);

    SECTION("several rooms are read as one, in log order") {
        CHECK(offsets(store.read({"/,c", "/,a"}, 0, many, large)) == Offsets{1, 3, 4, 6, 7, 9});
        CHECK(offsets(store.read({"/,b"}, 0, many, large)) == Offsets{2, 5, 8});
    }
    SECTION("reading goes on after the given offset") {
        CHECK(offsets(store.read({"/,a", "/,b"}, 4, many, large)) == Offsets{5, 7, 8});
        CHECK(offsets(store.read({"/,a"}, 7, many, large)).empty());
        CHECK(offsets(store.read({"/,a"}, std::uint64_t{1} << 53, many, large)).empty());
    }
    SECTION("a page ends at the number of entries") {
        CHECK(offsets(store.read({"/,a", "/,b"}, 0, 3, large)) == Offsets{1, 2, 4});
        CHECK(offsets(store.read({"/,a", "/,b"}, 0, 0, large)).empty());
    }
    SECTION("a page ends before the entry that would exceed its bytes, but is never empty") {
        CHECK(offsets(store.read({"/,a"}, 0, many, 20)) == Offsets{1, 4});
        CHECK(offsets(store.read({"/,a"}, 0, many, 29)) == Offsets{1, 4});
        CHECK(offsets(store.read({"/,a"}, 0, many, 1)) == Offsets{1});
        CHECK(offsets(store.read({"/,a"}, 0, many, 0)) == Offsets{1});
    }
    SECTION("unknown rooms are empty, and a room named twice is read once") {
        CHECK(offsets(store.read({}, 0, many, large)).empty());
        CHECK(offsets(store.read({"/,nobody", "/,a", "/,a"}, 0, many, large)) == Offsets{1, 4, 7});
    }
    SECTION("nobody reads what is not committed, its author's own transaction included") {
        CHECK(store.begin());
        CHECK(append(store, "/,a", "secret"));
        CHECK(append(store, "/,new", "secret"));
        CHECK(offsets(store.read({"/,a", "/,new"}, 0, many, large)) == Offsets{1, 4, 7});
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(offsets(store.read({"/,a", "/,new"}, 0, many, large)) == Offsets{1, 4, 7, 10, 11});
    }
    SECTION("one room is read backwards, newest first") {
        CHECK(offsets(store.read_before("/,a", 1u << 20, many, large)) == Offsets{7, 4, 1});
        CHECK(offsets(store.read_before("/,a", 7, many, large)) == Offsets{4, 1});
        CHECK(offsets(store.read_before("/,a", 1u << 20, 2, large)) == Offsets{7, 4});
        CHECK(offsets(store.read_before("/,a", 1u << 20, many, 29)) == Offsets{7, 4});
        CHECK(offsets(store.read_before("/,a", 1u << 20, many, 0)) == Offsets{7});
        CHECK(offsets(store.read_before("/,a", 1, many, large)).empty());
        CHECK(offsets(store.read_before("/,nobody", 9, many, large)).empty());
        CHECK(store.begin());
        CHECK(append(store, "/,a", "secret"));
        CHECK(offsets(store.read_before("/,a", 1u << 20, 1, large)) == Offsets{7});
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(offsets(store.read_before("/,a", 1u << 20, 1, large)) == Offsets{10});
    }
    SECTION("a hundred rooms are read as one, again and again") {
        std::vector<std::string> rooms;
        CHECK(store.begin());
        for (int i = 0; i < 200; ++i) {
            const std::string room = "/,room" + std::to_string(i % 100);
            if (i < 100) rooms.push_back(room);
            CHECK(append(store, room, "x"));
        }
        CHECK(store.commit() == CommitOutcome::committed);
        for (int i = 0; i < 3; ++i) CHECK(offsets(store.read(rooms, 9, many, large)).size() == 200);
    }
}

void check_producers(StoreMachine& machine) {
    const auto largest = std::numeric_limits<std::uint64_t>::max();

    SECTION("a producer's row is found as it was put last, after a restart too") {
        Store& store = machine.store();
        CHECK_FALSE(store.find_producer(ProducerId("p"))->has_value());
        store::ProducerRow row = producer("p");
        CHECK(store.begin());
        CHECK(store.put_producer(row));
        row.epoch = largest;
        row.seen = {std::uint64_t{1} << 53, largest};
        row.last_contact = {-1};
        row.user = "ann";
        CHECK(store.put_producer(row));
        CHECK(**store.find_producer(ProducerId("p")) == row);
        CHECK(store.commit() == CommitOutcome::committed);
        machine.restart();
        CHECK(**machine.store().find_producer(ProducerId("p")) == row);
        CHECK_FALSE(machine.store().find_producer(ProducerId("q"))->has_value());
    }

    SECTION("a verdict is found by producer and sequence, after a restart too") {
        const StoredVerdict accepted{largest, store::accept(R"({"id":1})")};
        const StoredVerdict rejected{7, store::reject("too_long", "shorten it")};
        const ProducerId id("p");
        CHECK(machine.store().begin());
        CHECK(machine.store().put_verdict(id, 1, accepted));  // the row may follow
        CHECK(machine.store().put_verdict(id, 2, rejected));
        CHECK(**machine.store().find_verdict(id, 1) == accepted);
        CHECK(machine.store().put_producer(producer("p", 2)));
        CHECK(machine.store().commit() == CommitOutcome::committed);
        for (int i = 0; i < 2; ++i) {
            CHECK(**machine.store().find_verdict(id, 1) == accepted);
            CHECK(**machine.store().find_verdict(id, 2) == rejected);
            CHECK_FALSE(machine.store().find_verdict(id, 3)->has_value());
            CHECK_FALSE(machine.store().find_verdict(ProducerId("q"), 1)->has_value());
            machine.restart();
        }
    }

    SECTION(
        "a rolled back producer and its verdicts are unknown, and leave nothing to the next one") {
        Store& store = machine.store();
        CHECK(store.begin());
        CHECK(store.put_producer(producer("p", 1)));
        CHECK(store.put_verdict(ProducerId("p"), 1, {1, store::accept()}));
        store.rollback();
        CHECK_FALSE(store.find_producer(ProducerId("p"))->has_value());
        CHECK_FALSE(store.find_verdict(ProducerId("p"), 1)->has_value());
        CHECK(store.begin());
        CHECK(store.put_producer(producer("q")));
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK_FALSE(store.find_verdict(ProducerId("q"), 1)->has_value());
    }
}

void check_leases(StoreMachine& machine) {
    Store& store = machine.store();
    const ProducerId ann("ann");
    const ProducerId bob("bob");
    const auto contacts = [&store](const char* name, delivery::Sequence last, std::int64_t at) {
        store::ProducerRow row = producer(name, last);
        row.last_contact = {at};
        for (delivery::Sequence i = 1; i <= last; ++i) {
            CHECK(store.put_verdict(row.identity.id, i, {i * 7, store::accept()}));
        }
        CHECK(store.put_producer(row));
    };
    const auto idle = [&store](std::int64_t until, std::uint32_t count = many) {
        return *store.idle_producers({until}, count);
    };
    CHECK(store.begin());
    contacts("bob", 3, 200);
    contacts("ann", 5, 100);
    contacts("eve", 0, 50);
    CHECK(idle(200) == std::vector{ann, bob});
    CHECK(store.commit() == CommitOutcome::committed);

    SECTION("whoever has verdicts and was away is found, the longest away first") {
        CHECK(idle(99).empty());
        CHECK(idle(100) == std::vector{ann});
        CHECK(idle(1'000) == std::vector{ann, bob});
        CHECK(idle(1'000, 1) == std::vector{ann});
    }
    SECTION("who was in contact again is not") {
        CHECK(store.begin());
        CHECK(store.renew_producer(ann, {300}));
        CHECK(idle(250) == std::vector{bob});
        CHECK(store.commit() == CommitOutcome::committed);
        machine.restart();
        CHECK((*machine.store().find_producer(ann))->last_contact.value == 300);
        CHECK(*machine.store().idle_producers({300}, many) == std::vector{bob, ann});
    }
    SECTION("verdicts go, the oldest first, and the row stays and says how far") {
        CHECK(store.begin());
        const auto some = store.forget_verdicts(ann, 2);
        CHECK(some->verdicts == 2);
        CHECK_FALSE(some->is_finished);
        CHECK_FALSE(*store.find_verdict(ann, 2));
        CHECK(*store.prepare_digests(ann, many));
        CHECK_FALSE(*store.find_verdict_by_digest(ann, 14));
        CHECK(*store.find_verdict(ann, 3));
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(idle(100) == std::vector{ann});
        CHECK(store.begin());
        const auto rest = store.forget_verdicts(ann, many);
        CHECK(rest->verdicts == 3);
        CHECK(rest->is_finished);
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(idle(1'000) == std::vector{bob});
        machine.restart();
        auto& again = machine.store();
        const auto row = *again.find_producer(ann);
        CHECK(row->seen == delivery::HighWater{5, 35});
        CHECK(row->forgotten == 5);
        CHECK_FALSE(*again.find_verdict(ann, 5));
        CHECK(*again.find_verdict(bob, 1));
    }
    SECTION("what is stored after that is kept, and found by its digest") {
        CHECK(store.begin());
        CHECK(store.forget_verdicts(ann, many));
        store::ProducerRow row = **store.find_producer(ann);
        row.seen = {6, 42};
        CHECK(store.put_verdict(ann, 6, {42, store::accept(), store::Publication{1, 2}}));
        CHECK(store.put_producer(row));
        CHECK(store.commit() == CommitOutcome::committed);
        machine.restart();
        CHECK((*machine.store().find_producer(ann))->forgotten == 5);
        CHECK(machine.store().begin());
        CHECK(*machine.store().prepare_digests(ann, many));
        CHECK((*machine.store().find_verdict_by_digest(ann, 42))->published ==
              store::Publication{1, 2});
        CHECK(machine.store().commit() == CommitOutcome::committed);
        CHECK(*machine.store().idle_producers({100}, many) == std::vector{ann});
    }
    SECTION("verdicts are made ready to be found by digest a few at a time") {
        CHECK(store.begin());
        int calls = 1;
        while (!*store.prepare_digests(ann, 2)) REQUIRE(++calls < 10);
        CHECK((*store.find_verdict_by_digest(ann, 28))->digest == 28);
        CHECK_FALSE(*store.find_verdict_by_digest(ann, 29));
        CHECK(*store.prepare_digests(ProducerId("nobody"), 2));
        CHECK_FALSE(*store.find_verdict_by_digest(ProducerId("nobody"), 28));
        CHECK(store.commit() == CommitOutcome::committed);
        machine.restart();
        CHECK(machine.store().begin());
        CHECK(machine.store().put_verdict(ann, 6, {42, store::accept(), std::nullopt}));
        CHECK(*machine.store().prepare_digests(ann, 2));
        CHECK(*machine.store().find_verdict_by_digest(ann, 42));
        CHECK(*machine.store().find_verdict_by_digest(ann, 7));
        machine.store().rollback();
    }
    SECTION("a roll-back forgets nothing") {
        CHECK(store.begin());
        CHECK(store.forget_verdicts(ann, many));
        store.rollback();
        CHECK(*store.find_verdict(ann, 1));
        CHECK((*store.find_producer(ann))->forgotten == 0);
    }
}

void check_once(StoreMachine& machine) {
    const OnceRow ann{"hello", "ann", 1};
    const OnceRow bob{"hi", "bob", 2};
    const OnceRow cleo{"good morning", "cleo", 3};
    const OnceRow dan{std::string("a\0b", 3), "dan", 4};

    SECTION("the rows that can decide are found: the oldest, the scope's, the one with the body") {
        CHECK(machine.store().begin());
        for (const OnceRow& row : {ann, bob, cleo, dan}) CHECK(machine.store().put_once("id", row));
        CHECK(machine.store().put_once("other", ann));
        CHECK(machine.store().commit() == CommitOutcome::committed);
        for (int i = 0; i < 2; ++i) {
            Store& store = machine.store();
            CHECK(store.find_once("nobody's", "ann", "hello")->empty());
            CHECK(*store.find_once("id", "eve", "new") == std::vector{ann});
            CHECK(*store.find_once("id", "ann", "hello") == std::vector{ann});
            CHECK(*store.find_once("id", "bob", "new") == std::vector{ann, bob});
            CHECK(*store.find_once("id", "bob", "hi") == std::vector{ann, bob});
            CHECK(*store.find_once("id", "eve", "good morning") == std::vector{ann, cleo});
            CHECK(*store.find_once("id", "cleo", "hi") == std::vector{ann, bob, cleo});
            CHECK(*store.find_once("id", "eve", dan.body) == std::vector{ann, dan});
            CHECK(*store.find_once("id", "eve", "a") == std::vector{ann});
            CHECK(*store.find_once("other", "bob", "hi") == std::vector{ann});
            machine.restart();
        }
    }

    SECTION("nothing at all is an id, a scope and a body like any other") {
        Store& store = machine.store();
        CHECK(store.begin());
        CHECK(store.put_once({}, OnceRow{"", "", 1}));
        CHECK(*store.find_once({}, {}, {}) == std::vector{OnceRow{"", "", 1}});
        CHECK(store.find_once("x", {}, {})->empty());
        CHECK(store.commit() == CommitOutcome::committed);
    }

    SECTION("a remembered id is seen inside its transaction and goes with it") {
        Store& store = machine.store();
        CHECK(store.begin());
        CHECK(store.put_once("id", ann));
        CHECK(*store.find_once("id", "ann", "hello") == std::vector{ann});
        store.rollback();
        CHECK(store.find_once("id", "ann", "hello")->empty());
    }
}

void check_marks(StoreMachine& machine) {
    Store& store = machine.store();
    SECTION("what was done since the mark is undone, and nothing before it") {
        commit_one(store, "/,a", "1");
        CHECK(store.begin());
        CHECK(append(store, "/,a", "2"));
        CHECK(store.mark());
        CHECK(append(store, "/,a", "undone"));
        CHECK(append(store, "/,new", "undone"));
        CHECK(store.put_once("id", {"text", "ann", store.head().offset}));
        CHECK(store.put_task({store.last_task() + 1, "key", "undone", "1"}));
        CHECK(store.undo());
        CHECK(store.head().offset == 2);
        CHECK(*store.next_room_seq("/,a") == 3);
        CHECK(*store.next_room_seq("/,new") == 1);
        CHECK(store.find_once("id", "ann", "text")->empty());
        CHECK(store.tasks(0, many)->empty());
        CHECK(append(store, "/,a", "3"));
        CHECK(store.mark());
        CHECK(append(store, "/,new", "4"));
        CHECK(store.commit() == CommitOutcome::committed);
        machine.restart();
        CHECK(read_all(machine.store(), {"/,a", "/,new"}).size() == 4);
        CHECK(*machine.store().next_room_seq("/,new") == 2);
    }
    SECTION("only the newest mark counts, and it can be gone back to again and again") {
        CHECK(store.begin());
        CHECK(store.mark());
        CHECK(append(store, "/,a", "1"));
        CHECK(store.mark());
        for (int i = 0; i < 3; ++i) {
            CHECK(append(store, "/,a", "2"));
            CHECK(store.undo());
            CHECK(store.head().offset == 1);
        }
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(read_all(store, {"/,a"}).size() == 1);
    }
    SECTION("a roll-back goes beyond every mark") {
        CHECK(store.begin());
        CHECK(append(store, "/,a", "1"));
        CHECK(store.mark());
        CHECK(append(store, "/,a", "2"));
        store.rollback();
        CHECK(store.head().offset == 0);
        CHECK(*store.next_room_seq("/,a") == 1);
        commit_one(store, "/,a", "1");
    }
}

void check_tasks(StoreMachine& machine) {
    Store& store = machine.store();
    const auto task = [&store](const char* name) {
        return store::TaskRow{store.last_task() + 1, "key", name, "[1]"};
    };
    SECTION("tasks come back in order until they are erased, over restarts") {
        CHECK(store.begin());
        for (const char* name : {"a", "b", "c"}) CHECK(store.put_task(task(name)));
        CHECK(store.commit() == CommitOutcome::committed);
        machine.restart();
        Store& again = machine.store();
        CHECK(again.tasks(0, 2)->size() == 2);
        CHECK(again.tasks(1, many)->front() == store::TaskRow{2, "key", "b", "[1]"});
        CHECK(again.begin());
        CHECK(again.erase_task(2));
        CHECK(again.tasks(0, many)->size() == 2);
        CHECK(again.commit() == CommitOutcome::committed);
        CHECK(again.tasks(1, many)->front().name == "c");
    }
    SECTION("the number of a task that was done is not given again, also by another process") {
        CHECK(store.begin());
        CHECK(store.put_task(task("a")));
        CHECK(store.erase_task(1));
        CHECK(store.commit() == CommitOutcome::committed);
        machine.restart();
        CHECK(machine.store().last_task() == 1);
    }
    SECTION("a number is never used twice while a process runs") {
        CHECK(store.begin());
        CHECK(store.put_task(task("lost")));
        store.rollback();
        CHECK(store.last_task() == 1);
        CHECK(store.begin());
        CHECK(store.put_task(task("kept")));
        CHECK(store.erase_task(2));
        CHECK(store.commit() == CommitOutcome::committed);
        CHECK(store.last_task() == 2);
        CHECK(store.tasks(0, many)->empty());
    }
}

void check_trimming(StoreMachine& machine) {
    Store& store = machine.store();
    for (int i = 0; i < 12; ++i) commit_one(store, i % 3 == 0 ? "/,b" : "/,a", "x");
    const auto trim = [&store](const store::Retention& retention, std::uint32_t max = many) {
        CHECK(store.begin());
        auto trimmed = store.trim(retention, UnixMillis{1'000'000}, max);
        CHECK(store.commit() == CommitOutcome::committed);
        return trimmed ? *trimmed : Store::Trimmed{};
    };
    SECTION("each room keeps its newest, and says up to where the others are gone") {
        CHECK(trim({{{"", {}, 3}}}).entries == 6);
        CHECK(read_all(store, {"/,a"}).size() == 3);
        CHECK(read_all(store, {"/,b"}).size() == 3);
        CHECK(read_all(store, {"/,a"}).front().room_seq == 6);
        CHECK(*store.trimmed_to({"/,a"}) == 8);
        CHECK(*store.trimmed_to({"/,b"}) == 1);
        CHECK(*store.trimmed_to({"/,b", "/,a", "/,none"}) == 8);
        CHECK(*store.trimmed_to({"/,none"}) == 0);
        CHECK(trim({{{"", {}, 3}}}).entries == 0);
        machine.restart();
        CHECK(machine.store().head().offset == 12);
        CHECK(*machine.store().trimmed_to({"/,a"}) == 8);
        commit_one(machine.store(), "/,a", "x");
        CHECK(read_all(machine.store(), {"/,a"}).back().room_seq == 9);
    }
    SECTION("a room that no rule names keeps everything") {
        CHECK(trim({{{"/,b", {}, 1}}}).entries == 3);
        CHECK(read_all(store, {"/,a"}).size() == 8);
    }
    SECTION("however old, the newest stays, and with it the head") {
        CHECK(trim({{{"", Millis{10}, {}}}}).entries == 10);
        CHECK(store.head().offset == 12);
        CHECK(read_all(store, {"/,a", "/,b"}).size() == 2);
    }
    SECTION("it is done in small steps") {
        const store::Retention all_but_one{{{"", {}, 1}}};
        std::uint32_t removed = 0;
        for (int step = 0; step < 20; ++step) {
            const auto done = trim(all_but_one, 2);
            CHECK(done.entries <= 2);
            removed += done.entries;
            if (done.is_finished && done.entries == 0) break;
        }
        CHECK(removed == 10);
    }
    SECTION("a transaction that is rolled back removed nothing") {
        CHECK(store.begin());
        CHECK(store.trim({{{"", {}, 1}}}, UnixMillis{0}, many));
        store.rollback();
        CHECK(read_all(store, {"/,a"}).size() == 8);
        CHECK(*store.trimmed_to({"/,a"}) == 0);
    }
}

}  // namespace

void check_store_contract(StoreMachine& machine) {
    SECTION("the log") { check_log(machine); }
    SECTION("reading") { check_reading(machine); }
    SECTION("producers") { check_producers(machine); }
    SECTION("leases") { check_leases(machine); }
    SECTION("ids that senders chose") { check_once(machine); }
    SECTION("marks") { check_marks(machine); }
    SECTION("tasks") { check_tasks(machine); }
    SECTION("questions") { check_questions_contract(machine); }
    SECTION("trimming") { check_trimming(machine); }
}

Result<delivery::Offset, store::StoreError> append(Store& store, const std::string& room,
                                                   const std::string& data) {
    const auto room_seq = store.next_room_seq(room);
    if (!room_seq) return Err{room_seq.error()};
    return store.append({store.head().offset + 1, room, *room_seq, data, UnixMillis{1}});
}

void commit_one(Store& store, const std::string& room, const std::string& data) {
    CHECK(store.begin());
    CHECK(append(store, room, data));
    CHECK(store.commit() == CommitOutcome::committed);
}

std::vector<LogEntry> read_all(Store& store, const std::vector<std::string>& rooms) {
    return *store.read(rooms, 0, 1'000'000, 1'000'000'000);
}

store::ProducerRow producer(const std::string& name, std::uint64_t last) {
    return {{ProducerId(name), ProducerSecret("secret of " + name)}, 1, {last, last * 7}, {1}};
}

}  // namespace oncewire::test
