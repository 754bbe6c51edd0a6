// Recovery of unmodified clients, between hubs, application and sequencer; the stock client asks the
// same in tests/interop/recovery.test.mjs.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "shared/base/json.hpp"
#include "shared/base/prng.hpp"
#include "tests/unit/support/small_server.hpp"

namespace recovery_test {

using namespace oncewire;
using Client = SmallServer::Client;

namespace {

store::RecoveryLimits limits_of(std::uint64_t entries) {
    store::RecoveryLimits limits;
    limits.entries_max = entries;
    return limits;
}

/// A server whose clients say what is to be done, and one client that goes and comes back.
struct Place {
    explicit Place(store::RecoveryLimits limits = {}, std::uint16_t cores = 1)
        : server(
              cores,
              [](api::Application& io) {
                  io.use([](api::Socket socket) {
                      socket.identify(
                          socket.handshake().auth_value<std::string>("name").value_or(""));
                      return api::allow();
                  });
                  io.on_connection([](api::Socket socket) {
                      if (!socket.recovered()) socket.join("lobby");
                  });
                  io.on("bye", [](api::Socket socket) {
                      socket.emit("bye");
                      socket.leave("lobby");
                      socket.disconnect();
                  });
                  io.on("part", [&io](api::Socket socket) {
                      io.to("lobby").emit("parting");
                      socket.leave("lobby");
                      io.to("lobby").emit("not for me");
                  });
              },
              limits) {
        enter();
    }

    /// CONNECT with the given auth members; what came with the answer stays in `answer`.
    void enter(const std::string& auth = {}) {
        client = server.connect("40{" + auth + "}", core);
        take();
    }
    void go() { server.cut(client); }
    void come_back(const std::string& more = {}) {
        std::string auth = R"("pid":)" + json::quoted(pid) + more;
        if (!offset.empty()) auth += R"(,"offset":)" + json::quoted(offset);
        enter(auth);
    }
    void say(const std::string& text, const std::string& room = "lobby") {
        server.application(0).everybody().to(room).emit("said", text);
        server.settle();
    }
    /// What was said to the client since the last time, CONNECT's answer among it as "connect".
    std::vector<std::string> take() {
        std::vector<std::string> said;
        for (const auto& frame : server.heard(client)) {
            if (frame.starts_with("40")) {
                answer = frame.substr(2);
                const auto member = [&](const char* name) {
                    const auto value = json::member(answer, name);
                    return value ? json::as_string(*value).value_or("") : "";
                };
                recovered = !pid.empty() && member("pid") == pid;
                pid = member("pid");
                sid = member("sid");
                reason = member("notRecovered");
                said.push_back("connect");
            } else if (frame.starts_with("42")) {
                const auto elements = json::elements(std::string_view(frame).substr(2));
                said.push_back(json::as_string(elements[elements.size() > 2 ? 1 : 0]).value());
                offset = json::as_string(elements.back()).value_or(offset);
            }
        }
        newest = said;
        return said;
    }

    SmallServer server;
    Client client;
    std::size_t core = 0;
    std::string pid, sid, offset, answer, reason;
    bool recovered = false;
    std::vector<std::string> newest;
};
using Said = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "a session that comes back is answered CONNECT with its sid and pid, then gets what it "
    "missed") {
    Place place;
    const auto sid = place.sid;
    place.say("one");
    CHECK(place.take() == Said{"one"});
    place.go();
    place.say("two");
    place.say("elsewhere", "attic");
    place.say("three");
    place.come_back();
    CHECK(place.newest == Said{"connect", "two", "three"});
    CHECK(place.recovered);
    CHECK(place.sid == sid);
    place.say("four");
    CHECK(place.take() == Said{"four"});
}

TEST_CASE("CONNECT is answered when the rooms of the connection handlers are kept, too") {
    Place place;
    const auto client = place.server.open();
    place.server.keep_mail(true);
    place.server.send(client, "40");
    place.server.let_mail_through(1);  // the session
    CHECK(place.server.heard(client).empty());
    place.server.let_mail_through(1);  // the lobby
    CHECK(place.server.heard(client).empty());
    place.server.keep_mail(false);
    CHECK(place.server.heard(client).size() == 1);
}

TEST_CASE("what is said to a new session comes after the answer to its CONNECT") {
    SmallServer server(
        1,
        [](api::Application& io) {
            io.on_connection([](api::Socket socket) {
                socket.join("lobby");
                socket.emit("stored");
                socket.volatile_().emit("not stored");
            });
        },
        store::RecoveryLimits{});
    const auto heard = server.heard(server.connect("40"));
    REQUIRE(heard.size() == 3);
    CHECK(heard[0].starts_with("40{"));
    CHECK(heard[1].starts_with(R"(42["stored")"));
    CHECK(heard[2].starts_with(R"(42["not stored")"));
}

TEST_CASE("who was put out and let in again misses nothing that was said since") {
    Place place;
    place.say("zero");
    place.take();
    place.server.keep_mail(true);
    auto& io = place.server.application(0);
    io.everybody().to(place.sid).sockets_leave("lobby");
    io.everybody().to(place.sid).sockets_join("lobby");
    place.say("one");
    place.server.let_mail_through(3);
    place.server.keep_mail(false);
    place.go();
    place.come_back();
    CHECK(place.recovered);
    CHECK(place.newest == Said{"connect", "one"});
}

TEST_CASE("a session that received nothing can come back") {
    Place place;
    place.go();
    place.say("one");
    place.come_back();
    CHECK(place.newest == Said{"connect", "one"});
    CHECK(place.recovered);
}

TEST_CASE("a session comes back on another core, and its half-open connection is closed") {
    Place place({}, 2);
    const auto old = place.client;
    place.core = 1;
    place.say("one");
    place.come_back();
    CHECK(place.newest == Said{"connect", "one"});
    CHECK(place.recovered);
    CHECK_FALSE(place.server.is_open(old));
    place.say("two");
    CHECK(place.take() == Said{"two"});
}

TEST_CASE("a session is resumed by its user only, and nobody learns that there is one") {
    Place place;
    place.go();
    const auto pid = place.pid;
    const auto sid = place.sid;
    place.say("one");
    place.come_back(R"(,"name":"eve")");
    CHECK_FALSE(place.recovered);
    CHECK(place.newest == Said{"connect"});
    CHECK(place.sid != sid);
    CHECK(place.reason == "unknown");
    place.pid = "nobody's";
    place.come_back();
    CHECK(place.reason == "unknown");
    place.pid = pid;
    place.come_back();
    CHECK(place.recovered);
    CHECK(place.newest == Said{"connect", "one"});
}

TEST_CASE("a session ends when it is away for longer than the window") {
    Place place;
    place.go();
    place.server.wait(Millis{120'001});
    place.come_back();
    CHECK_FALSE(place.recovered);
    CHECK(place.reason == "expired");
    place.go();
    place.server.wait(Millis{120'000});
    place.come_back();
    CHECK(place.recovered);
}

TEST_CASE("a quiet hour among noise does not end a session") {
    Place place(limits_of(5));
    place.say("one");
    place.take();
    for (int i = 0; i < 144; ++i) {
        place.say("noise", "attic");
        place.server.wait(Millis{25'000});
        place.server.send(place.client, "3");
    }
    place.go();
    place.say("two");
    place.come_back();
    CHECK(place.recovered);
    CHECK(place.newest == Said{"connect", "two"});
}

TEST_CASE("a session that missed more than is kept begins anew, and is told why") {
    Place place(limits_of(5));
    place.go();
    for (int i = 0; i < 10; ++i) place.say("noise", "attic");
    place.come_back();
    CHECK_FALSE(place.recovered);
    CHECK(place.reason == "too_much");
}

TEST_CASE("what was missed comes in pages and in order") {
    Place place;
    place.go();
    Said expected = {"connect"};
    for (int i = 0; i < 1500; ++i) {
        expected.push_back(std::to_string(i) + std::string(1000, 'x'));
        place.say(expected.back());
    }
    place.come_back();
    CHECK(place.newest == expected);
}

namespace {

/// A room with a history, as the tutorial's: who comes says how far they have read.
void install_log(api::Application& io) {
    io.use([](api::Socket socket) {
        const auto auth = socket.handshake();
        socket.join("log");
        if (const auto after = auth.auth_value<delivery::Offset>("serverOffset"))
            socket.replay_after(*after);
        return api::allow();
    });
    io.on("tell", [](api::Socket socket) { socket.emit("told"); });
    io.on_durable(
        "post",
        [](sequencer::Tx& tx,
           const sequencer::Message& message) -> Result<store::Verdict, store::StoreError> {
            const auto done = tx.publish("log", R"(["post",)" + std::string(message.args[0]) + ']');
            if (!done) return Err{done.error()};
            return store::accept();
        });
}

/// The words of events, and "connect".
Said words(const std::vector<std::string>& frames) {
    Said said;
    for (const auto& frame : frames) {
        if (frame.starts_with("40")) said.push_back("connect");
        if (!frame.starts_with("42")) continue;
        const auto elements = json::elements(std::string_view(frame).substr(2));
        said.push_back(json::as_string(elements[elements.size() > 2 ? 1 : 0]).value());
    }
    return said;
}

std::string member_of_connect(const std::vector<std::string>& frames, std::string_view name) {
    for (const auto& frame : frames) {
        if (!frame.starts_with("40")) continue;
        const auto value = json::member(std::string_view(frame).substr(2), name);
        return value ? json::as_string(*value).value_or("") : "";
    }
    return "";
}

std::string place_of(const std::string& frame) {
    return json::as_string(json::elements(std::string_view(frame).substr(2)).back()).value();
}

}  // namespace

TEST_CASE("history that was on its way when the link broke comes again from where its reader is") {
    SmallServer server(1, install_log, store::RecoveryLimits{});
    const auto author = server.connect("40");
    for (const char* text : {"one", "two", "three"})
        server.send(author, R"(42["post",")" + std::string(text) + "\"]");
    const auto reader = server.connect(R"(40{"serverOffset":0})");
    const auto first = server.heard(reader);
    CHECK(words(first) == Said{"connect", "one", "two", "three"});
    const auto pid = json::quoted(member_of_connect(first, "pid"));
    server.cut(reader);
    server.send(author, R"(42["post","four"])");
    // As if only so much had arrived; the page says how far it was when it came first.
    for (std::size_t arrived = 0; arrived <= 3; ++arrived) {
        const std::string offset =
            arrived == 0 ? "" : R"(,"offset":)" + json::quoted(place_of(first[arrived]));
        const auto again = server.connect(R"(40{"serverOffset":0,"pid":)" + pid + offset + '}');
        const auto heard = server.heard(again);
        Said expected = {"connect", "one", "two", "three", "four"};
        const auto after_connect = expected.begin() + 1;
        expected.erase(after_connect, after_connect + static_cast<std::ptrdiff_t>(arrived));
        CHECK(words(heard) == expected);
        CHECK(json::quoted(member_of_connect(heard, "pid")) == pid);
        server.cut(again);
    }
}

TEST_CASE("what was emitted before a session is not for it, however far back its history begins") {
    SmallServer server(1, install_log, store::RecoveryLimits{});
    const auto author = server.connect("40");
    server.send(author, R"(42["post","one"])");
    server.application().everybody().emit("news");
    server.settle();
    server.send(author, R"(42["post","two"])");
    const auto reader = server.connect(R"(40{"serverOffset":0})");
    const auto first = server.heard(reader);
    CHECK(words(first) == Said{"connect", "one", "two"});
    server.cut(reader);
    server.application().everybody().emit("later news");
    server.settle();
    const auto again = server.connect(R"(40{"serverOffset":0,"pid":)" +
                                      json::quoted(member_of_connect(first, "pid")) + '}');
    CHECK(words(server.heard(again)) == Said{"connect", "one", "two", "later news"});
}

TEST_CASE("what the application says last is what happens last") {
    Place place;
    place.server.send(place.client, R"(42["part"])");
    CHECK(place.take() == Said{"parting"});
    place.say("not for me");
    CHECK(place.take().empty());

    place.server.send(place.client, R"(42["bye"])");
    const auto frames = place.server.heard(place.client);
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].starts_with(R"(42["bye",)"));
    CHECK(frames[1] == "41");
}

TEST_CASE("who was disconnected, or said goodbye, begins anew") {
    Place place;
    SECTION("by the server while it was there") {
        place.server.send(place.client, R"(42["bye"])");
        place.take();
    }
    SECTION("by the server while it was away") {
        place.go();
        place.server.application(0).everybody().to(place.sid).disconnect_sockets();
        place.server.settle();
    }
    SECTION("by itself") {
        place.server.send(place.client, "41");
        place.go();
    }
    place.come_back();
    CHECK_FALSE(place.recovered);
    CHECK(place.reason == "unknown");
}

TEST_CASE(
    "rooms that a session lost while it was away replay nothing, those it got replay what is new") {
    Place place;
    place.go();
    place.say("old", "attic");
    place.server.application(0).everybody().to(place.sid).sockets_join("attic");
    place.server.settle();
    place.say("new", "attic");
    place.say("lobby");
    place.server.application(0).everybody().to(place.sid).sockets_leave("lobby");
    place.server.settle();
    place.come_back();
    CHECK(place.recovered);
    CHECK(place.newest == Said{"connect", "new"});
    place.say("lobby");
    place.say("attic", "attic");
    CHECK(place.take() == Said{"attic"});
}

TEST_CASE("volatile events say how far the session has read, and are not kept") {
    Place place;
    place.say("one");
    place.take();
    const auto offset = place.offset;
    place.server.application(0).everybody().volatile_().emit("said", "a string");
    place.server.settle();
    CHECK(place.take() == Said{"a string"});
    CHECK(place.offset == offset);
    place.go();
    place.server.application(0).everybody().volatile_().emit("said", "nobody hears it");
    place.server.settle();
    place.come_back();
    CHECK(place.newest == Said{"connect"});
    CHECK(place.recovered);
}

TEST_CASE("while the store refuses, events reach who is there, and nobody comes back across it") {
    Place place;
    place.server.faults.writes = store::StoreError::full;
    place.say("one");
    CHECK(place.take() == Said{"one"});
    place.server.faults.writes.reset();
    place.server.wait(Millis{1000});
    place.go();
    place.say("two");
    place.come_back();
    CHECK_FALSE(place.recovered);
    CHECK(place.reason == "unknown");
    place.go();
    place.say("three");
    place.come_back();
    CHECK(place.recovered);
}

TEST_CASE(
    "an offset that nobody was given is refused, one of an earlier history is nothing received") {
    const std::vector<std::pair<std::string, bool>> offsets = {
        {"e.99", false}, {" ", false}, {"e.01", false}, {"another.5", true}};
    for (const auto& [offset, recovered] : offsets) {
        Place place;
        place.say("one");
        place.take();
        place.go();
        place.offset = offset;
        place.come_back();
        CHECK(place.recovered == recovered);
        if (!recovered) CHECK(place.reason == "bad_offset");
    }
}

TEST_CASE("live and replay show the same to the same session, whatever the audience") {
    Prng prng(7);
    const std::vector<std::string> rooms = {"lobby", "a", "b", "c"};
    Place place;
    auto& io = place.server.application(0);
    const auto witness = place.server.connect();  // never away
    const auto witness_sid = [&] {
        const auto frames = place.server.heard(witness);
        return json::as_string(*json::member(std::string_view(frames.back()).substr(2), "sid"))
            .value();
    }();
    const auto room = [&] { return rooms[prng.below(4)]; };
    Said live;
    Said replayed;
    for (int step = 0; step < 400; ++step) {
        if (prng.chance(1, 6)) {
            const auto changed = room();
            const bool joins = prng.chance(2, 3);
            for (const auto& sid : {place.sid, witness_sid}) {
                auto one = io.everybody().to(sid);
                joins ? one.sockets_join(changed) : one.sockets_leave(changed);
            }
            place.server.settle();
        }
        place.go();
        for (int i = 0; i < 5; ++i) {
            auto to = io.everybody();
            for (auto n = prng.below(3); n > 0; --n) to = to.to(room());
            for (auto n = prng.below(2); n > 0; --n) to = to.except(room());
            to.emit("said", std::to_string(step * 10 + i));
        }
        place.server.settle();
        place.come_back();
        REQUIRE(place.recovered);
        for (const auto& text : place.newest) {
            if (text != "connect") replayed.push_back(text);
        }
        for (const auto& frame : place.server.heard(witness)) {
            if (!frame.starts_with("42")) continue;
            live.push_back(
                json::as_string(json::elements(std::string_view(frame).substr(2))[1]).value());
        }
    }
    CHECK(live.size() > 300);
    CHECK(live == replayed);
}

}  // namespace recovery_test
