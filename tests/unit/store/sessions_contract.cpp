// What every store promises about sessions and recorded events.
#include <catch2/catch.hpp>

#include "tests/unit/store/contract.hpp"

namespace oncewire::test {
namespace {

using store::Membership;
using store::Pruned;
using store::RecordedEvent;
using store::RecordLimits;
using store::SessionRow;
using store::WriteOutcome;

SessionRow session(const std::string& pid, std::int64_t seen_at, bool live) {
    return {pid, "sid of " + pid, "/", "ann", {{"first"}, 7}, {seen_at}, live, {{"/,", 7}}};
}

RecordedEvent event(std::vector<std::string> rooms, std::int64_t at = 1) {
    return {0, "/", std::move(rooms), {"/,x"}, "[\"e\"]", {}, {at}};
}

std::vector<delivery::Offset> offsets(StoreUser& store, const std::vector<std::string>& rooms,
                                      delivery::Offset after = 0, std::uint32_t entries = many,
                                      std::uint64_t bytes = large) {
    std::vector<delivery::Offset> found;
    const auto events = store.read_recorded(rooms, after, entries, bytes);
    for (const auto& each : *events) found.push_back(each.offset);
    return found;
}
using Offsets = std::vector<delivery::Offset>;

template <class Change>
void commit(StoreUser& store, Change change) {
    CHECK(store.begin());
    change();
    CHECK(store.commit() == WriteOutcome::committed);
}

void restart(StoreUser& store, std::int64_t now, std::int64_t slack) {
    commit(store, [&] {
        store.overlay().upkeep().restart_sessions = store::Upkeep::Restart{{now}, Millis{slack}};
    });
}

Pruned prune(StoreUser& store, const RecordLimits& limits) {
    commit(store, [&] { store.overlay().upkeep().prune = limits; });
    return *store.pruned();
}

void check_rows(StoreMachine& machine) {
    SECTION("a session is found as it was put last, after a restart too") {
        SessionRow row = session("p", 5, true);
        commit(machine.store(), [&] {
            CHECK(machine.store().put_session(row));
            row.rooms = {{"/,", 7}, {"/,a", 9}};
            row.user = std::string("b\0b", 3);
            CHECK(machine.store().put_session(row));
            CHECK(**machine.store().find_session("p") == row);
        });
        machine.restart();
        CHECK(**machine.store().find_session("p") == row);
        CHECK_FALSE(machine.store().find_session("q")->has_value());
    }

    SECTION("rooms are joined once, left, and looked up") {
        StoreUser& store = machine.store();
        commit(store, [&] {
            CHECK(store.put_session(session("p", 1, true)));
            CHECK(store.put_session(session("q", 1, true)));
            CHECK(store.join_session("p", {"/,a", 3}));
            CHECK(store.join_session("p", {"/,a", 8}));
            CHECK(store.join_session("nobody", {"/,a", 3}));
            CHECK(store.join_session("q", {"/,b", 3}));
            CHECK(store.leave_session("q", "/,never"));
            CHECK(*store.sessions_in({"/,a"}) == std::vector<std::string>{"p"});
        });
        CHECK((*store.find_session("p"))->rooms == std::vector<Membership>{{"/,", 7}, {"/,a", 3}});
        CHECK(*store.sessions_in({"/,a", "/,b", "/,"}) == std::vector<std::string>{"p", "q"});
        commit(store, [&] { CHECK(store.leave_session("p", "/,a")); });
        CHECK(store.sessions_in({"/,a"})->empty());
        commit(store, [&] { CHECK(store.drop_session("q")); });
        CHECK(store.sessions_in({"/,b"})->empty());
        CHECK_FALSE(store.find_session("q")->has_value());
    }

    SECTION("what was rolled back never was") {
        StoreUser& store = machine.store();
        CHECK(store.begin());
        CHECK(store.put_session(session("p", 1, true)));
        store.record(event({"/,"}));
        store.rollback();
        CHECK_FALSE(store.find_session("p")->has_value());
        CHECK(store.head().offset == 0);
        CHECK(offsets(store, {"/,"}).empty());
    }

    SECTION("sessions end: those not seen for long, or all") {
        StoreUser& store = machine.store();
        commit(store, [&] {
            CHECK(store.put_session(session("old", 10, false)));
            CHECK(store.put_session(session("young", 20, false)));
            CHECK(store.put_session(session("live", 10, true)));
            store.overlay().upkeep().drop_unseen_before = UnixMillis{20};
        });
        CHECK(*store.sessions_in({"/,"}) == std::vector<std::string>{"live", "young"});
        commit(store, [&] { store.overlay().upkeep().drops_sessions = true; });
        CHECK(store.sessions_in({"/,"})->empty());
    }

    SECTION("a restart lets time begin anew") {
        StoreUser& store = machine.store();
        commit(store, [&] {
            CHECK(store.put_session(session("away", 10, false)));
            CHECK(store.put_session(session("live", 10, true)));
            CHECK(store.put_session(session("ahead", 900, false)));
            store.record(event({"/,"}, 600));
        });
        restart(store, 500, 50);
        CHECK((*store.find_session("away"))->seen_at == UnixMillis{10});
        CHECK((*store.find_session("live"))->seen_at == UnixMillis{500});
        CHECK_FALSE((*store.find_session("live"))->live);
        CHECK((*store.find_session("ahead"))->seen_at == UnixMillis{500});
        CHECK(store.read_recorded({"/,"}, 0, many, large)->front().stored_at == UnixMillis{500});
    }
}

void check_recorded(StoreMachine& machine) {
    SECTION("a recorded event comes back with every byte, and shares the offsets of the log") {
        commit_one(machine.store(), "/,a", "1");
        const std::string odd("\0\xff:3:", 5);
        RecordedEvent full{2, "/n", {"/n,a", "/n,b"}, {}, "[\"e\"]", {odd, ""}, {3}};
        commit(machine.store(), [&] {
            machine.store().record(full);
            CHECK(machine.store().head().offset == 2);
            CHECK(offsets(machine.store(), {"/n,a"}).empty());  // nobody sees what is not committed
            CHECK(append(machine.store(), "/,a", "3"));
        });
        for (int i = 0; i < 2; ++i) {
            StoreUser& store = machine.store();
            CHECK(*store.read_recorded({"/n,a", "/n,b"}, 0, many, large) == std::vector{full});
            CHECK(store.head().offset == 3);
            CHECK(read_all(store, {"/,a"}).back().offset == 3);
            CHECK(read_all(store, {"/,a"}).back().room_seq == 2);
            machine.restart();
        }
    }

    SECTION("events are read by room, from where, and in pages") {
        StoreUser& store = machine.store();
        commit(store, [&] {
            for (int i = 0; i < 6; ++i) {
                store.record(event({i % 2 == 0 ? "/,a" : "/,b", "/,c"}));
            }
        });
        CHECK(offsets(store, {"/,a", "/,c"}) == Offsets{1, 2, 3, 4, 5, 6});
        CHECK(offsets(store, {"/,a"}, 1) == Offsets{3, 5});
        CHECK(offsets(store, {"/,b"}, 0, 2) == Offsets{2, 4});
        CHECK(offsets(store, {"/,b"}, 0, many, 10) == Offsets{2, 4});
        CHECK(offsets(store, {"/,b"}, 0, many, 9) == Offsets{2});
        CHECK(offsets(store, {"/,d"}).empty());
        CHECK(offsets(store, {}).empty());
    }

    SECTION("the oldest go when there are too many, too large or too old, the newest never") {
        StoreUser& store = machine.store();
        commit(store, [&] {
            for (int i = 1; i <= 6; ++i) store.record(event({"/,a"}, i));
        });
        CHECK(*store.pruned() == Pruned{});
        CHECK(prune(store, {5, large, {0}}) == Pruned{1, {1}});
        CHECK(prune(store, {many, 20, {0}}) == Pruned{2, {2}});
        CHECK(prune(store, {many, large, {4}}) == Pruned{3, {3}});
        CHECK(offsets(store, {"/,a"}) == Offsets{4, 5, 6});
        CHECK(prune(store, {0, 0, {100}}) == Pruned{5, {5}});
        CHECK(offsets(store, {"/,a"}) == Offsets{6});
        machine.restart();
        CHECK(*machine.store().pruned() == Pruned{5, {5}});
        CHECK(machine.store().head().offset == 6);
    }

    SECTION("what was dropped counts as dropped at a restart only if it was young") {
        StoreUser& store = machine.store();
        commit(store, [&] {
            store.record(event({"/,a"}, 100));
            store.record(event({"/,a"}, 200));
            store.overlay().upkeep().prune = RecordLimits{1, large, {0}};  // with what is recorded
        });
        CHECK(*store.pruned() == Pruned{1, {100}});
        restart(store, 500, 99);
        CHECK(*store.pruned() == Pruned{1, {100}});
        commit(store, [&] { store.record(event({"/,a"}, 590)); });
        CHECK(prune(store, {1, large, {0}}) == Pruned{2, {500}});
        restart(store, 900, 99);
        CHECK(*store.pruned() == Pruned{2, {900}});
    }
}

}  // namespace

void check_sessions_contract(StoreMachine& machine) {
    SECTION("sessions") { check_rows(machine); }
    SECTION("recorded events") { check_recorded(machine); }
}

}  // namespace oncewire::test
