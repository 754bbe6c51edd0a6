#include "tests/unit/store/contract.hpp"

#include <catch2/catch.hpp>
#include <cstdint>

namespace oncewire::test {
namespace {

using store::LogEntry;
using store::LogHead;
using store::OnceRow;
using store::WriteOutcome;

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
        StoreUser& store = machine.store();
        CHECK(store.begin());
        const LogEntry first{1, "/,a", 1, odd, UnixMillis{-5}};
        const LogEntry second{2, "/,a", 2, "", UnixMillis{1'700'000'000'000}, 1};
        CHECK(store.append(first.room, first.data, first.stored_at));
        CHECK(store.append(second.room, second.data, second.stored_at));
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK(read_all(store, {"/,a"}) == std::vector<LogEntry>{first, second});
        machine.restart();
        CHECK(read_all(machine.store(), {"/,a"}) == std::vector<LogEntry>{first, second});
    }

    SECTION("each entry knows which came before it in its room") {
        StoreUser& store = machine.store();
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
        CHECK(store.commit() == WriteOutcome::committed);
        commit_one(store, "/,a", "4");
        machine.restart();
        StoreUser& again = machine.store();
        CHECK(befores(*again.read({"/,a", "/,b"}, 0, many, many)) == Offsets{0, 0, 1, 3});
        CHECK(befores(*again.read({"/,a"}, 2, many, many)) == Offsets{1, 3});
        CHECK(befores(*again.read({"/,a"}, 3, many, many)) == Offsets{3});
        CHECK(befores(*again.read_before("/,a", 5, 2, many)) == Offsets{3, 1});
        CHECK(befores(*again.read_before("/,a", 5, many, many)) == Offsets{3, 1, 0});
        CHECK(again.begin());
        CHECK(*append(again, "/,a", "5") == 4);
        CHECK(*append(again, "/,new", "6") == 0);
        CHECK(again.commit() == WriteOutcome::committed);
    }

    SECTION("each room counts by itself and without holes, over roll-backs and restarts") {
        StoreUser& store = machine.store();
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
        StoreUser& store = machine.store();
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
        CHECK(store.commit() == WriteOutcome::committed);
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
        StoreUser& store = machine.store();
        CHECK(store.begin());
        CHECK(append(store, "/,a", "1"));
        CHECK(append(store, "/,a", "2"));
        CHECK(**store.find_entry("/,a", 2) == LogEntry{2, "/,a", 2, "2", UnixMillis{1}, 1});
        CHECK(*store.rewrite("/,a", 2, "shorter"));
        CHECK(*store.rewrite("/,a", 2, ""));
        CHECK((*store.find_entry("/,a", 2))->data.empty());
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK(**store.find_entry("/,a", 2) == LogEntry{2, "/,a", 2, "", UnixMillis{1}, 1});
    }

    SECTION("there is nothing to rewrite in another room, beyond the end, or in what was removed") {
        StoreUser& store = machine.store();
        for (const char* data : {"1", "2"}) commit_one(store, "/,a", data);
        commit_one(store, "/,b", "3");
        CHECK(store.begin());
        store::Retention retention;
        retention.rules.push_back({"/,a", {}, 1});
        store.trim(retention, {}, many);
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK(store.written().trimmed == 1);
        CHECK(store.begin());
        for (const char* room : {"/,a", "/,c"}) {
            for (const delivery::Offset offset : {1, 3, 4, 99}) {
                CHECK(!*store.rewrite(room, offset, "x"));
                CHECK(!*store.find_entry(room, offset));
            }
        }
        CHECK((*store.find_entry("/,a", 2))->before == 0);
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK(read_all(store, {"/,a", "/,b"}).back().data == "3");
    }

    SECTION("the head inside a transaction is the head as it will be") {
        StoreUser& store = machine.store();
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
        CHECK(machine.store().commit() == WriteOutcome::committed);
        CHECK(machine.store().head() == LogHead{{"first"}, 0});
    }
}

void check_reading(StoreMachine& machine) {
    StoreUser& store = machine.store();
    // Offsets 1 to 9: a b c a b c a b c, ten bytes each.
    CHECK(store.begin());
    for (int i = 0; i < 9; ++i) {
        CHECK(append(store, std::string("/,") + "abc"[i % 3], "0123456789"));
    }
    CHECK(store.commit() == WriteOutcome::committed);

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
        CHECK(store.commit() == WriteOutcome::committed);
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
        CHECK(store.commit() == WriteOutcome::committed);
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
        CHECK(store.commit() == WriteOutcome::committed);
        for (int i = 0; i < 3; ++i) CHECK(offsets(store.read(rooms, 9, many, large)).size() == 200);
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
        CHECK(machine.store().commit() == WriteOutcome::committed);
        for (int i = 0; i < 2; ++i) {
            StoreUser& store = machine.store();
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
        StoreUser& store = machine.store();
        CHECK(store.begin());
        CHECK(store.put_once({}, OnceRow{"", "", 1}));
        CHECK(*store.find_once({}, {}, {}) == std::vector{OnceRow{"", "", 1}});
        CHECK(store.find_once("x", {}, {})->empty());
        CHECK(store.commit() == WriteOutcome::committed);
    }

    SECTION("a remembered id is seen inside its transaction and goes with it") {
        StoreUser& store = machine.store();
        CHECK(store.begin());
        CHECK(store.put_once("id", ann));
        CHECK(*store.find_once("id", "ann", "hello") == std::vector{ann});
        store.rollback();
        CHECK(store.find_once("id", "ann", "hello")->empty());
    }
}

void check_marks(StoreMachine& machine) {
    StoreUser& store = machine.store();
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
        CHECK(append(store, "/,a", "3"));
        CHECK(store.mark());
        CHECK(append(store, "/,new", "4"));
        CHECK(store.commit() == WriteOutcome::committed);
        machine.restart();
        CHECK(machine.store().tasks(0, many)->empty());
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
        CHECK(store.commit() == WriteOutcome::committed);
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
    StoreUser& store = machine.store();
    const auto task = [&store](const char* name) {
        return store::TaskRow{store.last_task() + 1, "key", name, "[1]"};
    };
    SECTION("tasks come back in order until they are erased, over restarts") {
        CHECK(store.begin());
        for (const char* name : {"a", "b", "c"}) CHECK(store.put_task(task(name)));
        CHECK(store.commit() == WriteOutcome::committed);
        machine.restart();
        StoreUser& again = machine.store();
        CHECK(again.tasks(0, 2)->size() == 2);
        CHECK(again.tasks(1, many)->front() == store::TaskRow{2, "key", "b", "[1]"});
        CHECK(again.begin());
        CHECK(again.erase_task(2));
        CHECK(again.tasks(0, many)->size() == 3);
        CHECK(again.commit() == WriteOutcome::committed);
        CHECK(again.tasks(0, many)->size() == 2);
        CHECK(again.tasks(1, many)->front().name == "c");
    }
    SECTION("the number of a task that was done is not given again, also by another process") {
        CHECK(store.begin());
        CHECK(store.put_task(task("a")));
        CHECK(store.erase_task(1));
        CHECK(store.commit() == WriteOutcome::committed);
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
        CHECK(store.commit() == WriteOutcome::committed);
        CHECK(store.last_task() == 2);
        CHECK(store.tasks(0, many)->empty());
    }
}

void check_trimming(StoreMachine& machine) {
    StoreUser& store = machine.store();
    for (int i = 0; i < 12; ++i) commit_one(store, i % 3 == 0 ? "/,b" : "/,a", "x");
    const auto trim = [&store](const store::Retention& retention, std::uint32_t max = many) {
        CHECK(store.begin());
        store.trim(retention, UnixMillis{1'000'000}, max);
        CHECK(store.commit() == WriteOutcome::committed);
        return store.written();
    };
    SECTION("each room keeps its newest, and says up to where the others are gone") {
        CHECK(trim({{{"", {}, 3}}}).trimmed == 6);
        CHECK(read_all(store, {"/,a"}).size() == 3);
        CHECK(read_all(store, {"/,b"}).size() == 3);
        CHECK(read_all(store, {"/,a"}).front().room_seq == 6);
        CHECK(*store.trimmed_to({"/,a"}) == 8);
        CHECK(*store.trimmed_to({"/,b"}) == 1);
        CHECK(*store.trimmed_to({"/,b", "/,a", "/,none"}) == 8);
        CHECK(*store.trimmed_to({"/,none"}) == 0);
        CHECK(trim({{{"", {}, 3}}}).trimmed == 0);
        machine.restart();
        CHECK(machine.store().head().offset == 12);
        CHECK(*machine.store().trimmed_to({"/,a"}) == 8);
        commit_one(machine.store(), "/,a", "x");
        CHECK(read_all(machine.store(), {"/,a"}).back().room_seq == 9);
    }
    SECTION("a room that no rule names keeps everything") {
        CHECK(trim({{{"/,b", {}, 1}}}).trimmed == 3);
        CHECK(read_all(store, {"/,a"}).size() == 8);
    }
    SECTION("however old, the newest stays, and with it the head") {
        CHECK(trim({{{"", Millis{10}, {}}}}).trimmed == 10);
        CHECK(store.head().offset == 12);
        CHECK(read_all(store, {"/,a", "/,b"}).size() == 2);
    }
    SECTION("it is done in small steps") {
        const store::Retention all_but_one{{{"", {}, 1}}};
        std::uint32_t removed = 0;
        for (int step = 0; step < 20; ++step) {
            const auto done = trim(all_but_one, 2);
            CHECK(done.trimmed <= 2);
            removed += done.trimmed;
            if (done.is_trimmed && done.trimmed == 0) break;
        }
        CHECK(removed == 10);
    }
    SECTION("a batch that is dropped removes nothing, and nor does the next") {
        CHECK(store.begin());
        store.trim({{{"", {}, 1}}}, UnixMillis{0}, many);
        store.rollback();
        commit_one(store, "/,b", "x");
        CHECK(read_all(store, {"/,a"}).size() == 8);
        CHECK(*store.trimmed_to({"/,a"}) == 0);
    }
}

void check_moved(StoreMachine& machine) {
    StoreUser& store = machine.store();
    commit_one(store, "/,a", "1");
    SECTION("a batch that does not begin at the head is not stored, and the next one is") {
        for (const LogHead& from :
             {LogHead{{"first"}, 0}, LogHead{{"first"}, 2}, LogHead{{"other"}, 1}}) {
            store::Batch batch;
            batch.from = from;
            batch.to = from.offset + 1;
            batch.entries.push_back({batch.to, "/,b", 1, "never", UnixMillis{1}, 0});
            batch.rooms["/,b"] = {1, batch.to};
            batch.senders[ProducerId("p")].row = producer("p");
            batch.tasks.push_back({1, "key", "never", "1"});
            CHECK(store.store().write(batch).outcome == WriteOutcome::moved);
            CHECK(store.store().head() == LogHead{{"first"}, 1});
            CHECK(store.store().numbers().task == 0);
        }
        CHECK(read_all(store, {"/,b"}).empty());
        CHECK_FALSE(store.find_producer(ProducerId("p"))->has_value());
        CHECK(store.tasks(0, many)->empty());
        CHECK(*store.next_room_seq("/,b") == 1);
        commit_one(store, "/,b", "2");
        machine.restart();
        CHECK(read_all(machine.store(), {"/,b"}).front().data == "2");
    }
}

}  // namespace

void check_store_contract(StoreMachine& machine) {
    SECTION("the log") { check_log(machine); }
    SECTION("reading") { check_reading(machine); }
    SECTION("producers") { check_producers_contract(machine); }
    SECTION("ids that senders chose") { check_once(machine); }
    SECTION("marks") { check_marks(machine); }
    SECTION("tasks") { check_tasks(machine); }
    SECTION("questions") { check_questions_contract(machine); }
    SECTION("sessions") { check_sessions_contract(machine); }
    SECTION("trimming") { check_trimming(machine); }
    SECTION("who may write") { check_moved(machine); }
}

Result<delivery::Offset, store::StoreError> append(StoreUser& store, const std::string& room,
                                                   const std::string& data) {
    const auto appended = store.append(room, data);
    if (!appended) return Err{appended.error()};
    return store.overlay().batch().entries.back().before;
}

void commit_one(StoreUser& store, const std::string& room, const std::string& data) {
    CHECK(store.begin());
    CHECK(append(store, room, data));
    CHECK(store.commit() == WriteOutcome::committed);
}

void commit_one(store::Store& store, const std::string& room, const std::string& data) {
    StoreUser user(store);
    commit_one(user, room, data);
}

std::vector<LogEntry> read_all(StoreUser& store, const std::vector<std::string>& rooms) {
    return *store.read(rooms, 0, 1'000'000, 1'000'000'000);
}

std::vector<LogEntry> read_all(store::Store& store, const std::vector<std::string>& rooms) {
    StoreUser user(store);
    return read_all(user, rooms);
}

store::StoreError error_writing(store::Store& store) {
    store::Batch nothing;
    nothing.from = store.head();
    nothing.to = nothing.from.offset;
    const auto written = store.write(nothing);
    REQUIRE(written.outcome == WriteOutcome::refused);
    return written.error;
}

store::ProducerRow producer(const std::string& name, std::uint64_t last) {
    return {{ProducerId(name), ProducerSecret("secret of " + name)}, 1, {last, last * 7}, {1}};
}

}  // namespace oncewire::test
