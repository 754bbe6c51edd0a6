// What an application does beside its sockets: who may come in, timers, other cores, the store, HTTP.
#include <catch2/catch.hpp>

#include <algorithm>

#include "server/api/insert_once.hpp"
#include "tests/unit/support/small_server.hpp"

namespace api_server_test {

using namespace oncewire;
using api::Ack;
using api::Json;
using api::Socket;
using Frames = std::vector<std::string>;

namespace {

hub::Request request(std::string url) {
    return {engineio::TransportKind::websocket, "127.0.0.1", "127.0.0.1", std::move(url), {}};
}

}  // namespace

TEST_CASE("other cores are asked, each once, and the asking one is not") {
    SmallServer server(3, [core = 0](api::Application& io) mutable {
        io.on_server_side("how many", [core](int factor, Ack ack) { ack(core * factor); });
        ++core;
    });
    std::vector<int> counts;
    server.application(1).server_side_emit_with_ack("how many", 10,
                                                    [&](const api::ServerSideAcks& all) {
                                                        CHECK_FALSE(all.timed_out);
                                                        for (const auto& answer : all.answers)
                                                            counts.push_back(*answer.get<int>());
                                                    });
    server.settle();
    std::sort(counts.begin(), counts.end());
    CHECK(counts == std::vector<int>{0, 20});
}

TEST_CASE(
    "a core without a handler says so at once, one that is silent is not waited for for ever") {
    std::vector<Ack> forgotten;
    SmallServer server(3, [&, core = 0](api::Application& io) mutable {
        if (core++ == 2) io.on_server_side("slow", [&](Ack ack) { forgotten.push_back(ack); });
    });
    int finished = 0;
    bool timed_out = true;
    std::vector<std::uint16_t> missing;
    const auto note = [&](const api::ServerSideAcks& all) {
        ++finished;
        timed_out = all.timed_out;
        missing = all.missing;
        CHECK(all.answers.empty());
    };
    server.application(0).server_side_emit_with_ack("unknown", note);
    server.settle();
    CHECK(finished == 1);
    CHECK_FALSE(timed_out);
    server.application(0).server_side_emit_with_ack("slow", note);
    server.settle();
    CHECK(finished == 1);
    server.wait(Millis(5'000));
    CHECK(finished == 2);
    CHECK(timed_out);
    CHECK(missing == std::vector<std::uint16_t>{2});
    forgotten.at(0)("too late");
    server.settle();
    CHECK(finished == 2);
}

TEST_CASE("what asks all cores ends, and says which of them are missing") {
    SmallServer server(
        2, [](api::Application&) {}, store::RecoveryLimits{});
    const std::vector<std::uint16_t> both{0, 1};
    std::vector<std::uint16_t> of_sockets, of_acks;
    bool timed_out = false;
    server.keep_mail(true);
    auto& io = server.application(0);
    io.fetch_sockets().then([&](const api::RemoteSockets& all) { of_sockets = all.missing; });
    io.timeout(Millis{100}).emit_with_ack("x", [&](const api::BroadcastAcks& all) {
        of_acks = all.missing;
        timed_out = all.timed_out;
    });
    server.wait(Millis{5'000});
    CHECK(of_sockets == both);
    CHECK(of_acks.empty());
    server.wait(Millis{100});
    CHECK(of_acks == both);
    CHECK(timed_out);
    server.keep_mail(false);  // what is answered now nobody waits for
}

TEST_CASE("what is said to a pattern reaches its children on every core") {
    std::vector<api::Namespace> games;
    SmallServer server(2, [&](api::Application& io) {
        io.cleanup_empty_child_namespaces(true);
        games.push_back(io.of(api::Pattern{"/game-#"}));
    });
    // The first application was asked for its handlers alone, and is gone.
    games.erase(games.begin());
    const auto one = server.connect("40/game-1,", 0), two = server.connect("40/game-2,", 1);
    const auto also_two = server.connect("40/game-2,", 0);
    for (const auto& client : {one, two, also_two}) server.heard(client);

    games[1].emit("news", 1);
    server.settle();
    games[0].local().emit("near", 2);
    server.settle();
    CHECK(server.heard(one) == Frames{R"(42/game-1,["news",1])", R"(42/game-1,["near",2])"});
    CHECK(server.heard(two) == Frames{R"(42/game-2,["news",1])"});
    CHECK(server.heard(also_two).size() == 2);

    std::vector<api::RemoteSocket> players;
    games[0].fetch_sockets().then([&](auto all) { players = std::move(all); });
    server.settle();
    REQUIRE(players.size() == 3);
    for (const auto& player : players) player.emit("you");
    server.settle();
    CHECK(server.heard(two) == Frames{R"(42/game-2,["you"])"});

    server.cut(one);
    games[1].disconnect_sockets();
    server.settle();
    CHECK(server.heard(two) == Frames{"41/game-2,"});
    bool asked = false;
    games[0].emit_with_ack("anybody?", [&](const api::BroadcastAcks& acks) {
        asked = true;
        CHECK(acks.asked == 0);
    });
    server.settle();
    CHECK(asked);
}

TEST_CASE("work is done after its delay, once, in the order it is due") {
    api::Application io;
    std::string done;
    SmallServer server(io);
    io.after(Millis(20), [&] { done += 'b'; });
    io.after(Millis(10), [&] {
        done += 'a';
        io.after(Millis(15), [&] { done += 'c'; });
    });
    server.wait(Millis(9));
    CHECK(done.empty());
    server.wait(Millis(1));
    CHECK(done == "a");
    server.wait(Millis(100));
    CHECK(done == "abc");
}

TEST_CASE("a handshake is decided once, at once or later") {
    api::Application io;
    CHECK_FALSE(io.asks_admission());
    std::vector<api::Decision> pending;
    io.allow_request([&](const hub::Request& request, api::Decision decide) {
        if (api::query_value(request.url, "now") == "1") return decide(api::refuse("no"));
        pending.push_back(decide);
    });
    CHECK(io.asks_admission());
    Frames said;
    const auto decide = [&](const std::optional<std::string>& refusal) {
        said.push_back(refusal.value_or("welcome"));
    };
    io.ask_admission(request("/?now=0&now=1"), decide);
    CHECK(said == Frames{"no"});
    io.ask_admission(request("/"), decide);
    CHECK(said.size() == 1);
    pending.at(0)();
    pending.at(0)(api::refuse("changed my mind"));
    CHECK(said == Frames{"no", "welcome"});

    io.allow_request([](const hub::Request& request) {
        return request.url == "/" ? api::allow() : api::refuse("elsewhere");
    });
    io.ask_admission(request("/"), decide);
    io.ask_admission(request("/x"), decide);
    CHECK(said == Frames{"no", "welcome", "welcome", "elsewhere"});
}

TEST_CASE("a message with an id is stored once, from an ordinary handler, too") {
    api::Application io;
    io.use([](Socket socket) {
        socket.join("chat");
        return api::allow();
    });
    io.on_durable(
        "message",
        [](api::Tx& tx, const api::Message& message) -> Result<api::Verdict, api::StoreError> {
            const auto id = json::as_string(message.args[1]);
            return api::insert_once(tx, message, *id, message.args[0], [&] {
                return tx.publish("chat", R"(["stored",)" + std::string(message.args[0]) + "]");
            });
        });
    Frames outcomes;
    io.on("order", [&](Socket socket, std::string text, std::string id) {
        socket.submit("message", text, id, [&](const api::SubmitResult& result) {
            outcomes.push_back(result ? result->body : "none");
        });
    });
    SmallServer server(io);
    const auto ann = server.connect(), ben = server.connect();
    server.heard(ann);
    server.heard(ben);
    server.send(ann, R"(42["order","tea","1"])");
    server.send(ann, R"(42["order","tea","1"])");
    server.send(ann, R"(421["message","tea","1"])");
    server.send(ann, R"(42["order","cake","1"])");
    server.send(ben, R"(42["order","cake","1"])");
    CHECK(outcomes.size() == 4);
    CHECK(outcomes.at(0) == R"({"id":1})");
    CHECK(outcomes.at(1) == R"({"id":1})");
    CHECK(outcomes.at(2).find("conflict") != std::string::npos);
    CHECK(outcomes.at(3) == R"({"id":2})");
    CHECK(server.heard(ann) == Frames{R"(42["stored","tea","e.1"])", R"(431[null,{"id":1}])",
                                      R"(42["stored","cake","e.2"])"});
    CHECK(server.heard(ben) ==
          Frames{R"(42["stored","tea","e.1"])", R"(42["stored","cake","e.2"])"});
}

TEST_CASE("a durable handler publishes values as a socket emits them, but for bytes") {
    api::Application io;
    io.use([](Socket socket) {
        socket.join("chat");
        return api::allow();
    });
    io.on_durable(
        "say",
        [](api::Tx& tx, const api::Message& message) -> Result<api::Verdict, api::StoreError> {
            const api::JsonText text{std::string(message.args.at(0))};
            const auto said = text.text == "1"
                                  ? tx.publish("chat", "said", api::Binary{"\x01"})
                                  : tx.publish("chat", "said", text, 7, api::JsonText{"not json"});
            if (!said) return Err{said.error()};
            return api::accept();
        });
    SmallServer server(io);
    const auto ann = server.connect();
    server.heard(ann);
    server.send(ann, R"(421["say",{"a":[1]}])");
    CHECK(server.heard(ann) ==
          Frames{R"(42["said",{"a":[1]},7,"not json","e.1"])", R"(431[null,null])"});
    server.send(ann, R"(422["say",1])");
    CHECK(server.heard(ann).empty());  // it is asked for again, as after any failure of a handler
}

TEST_CASE("a submission of a socket that is gone has no verdict, and is told") {
    api::Application io;
    Frames outcomes;
    const auto note = [&](const api::SubmitResult& result) {
        outcomes.push_back(!result && result.error() == api::SubmitError::unknown ? "unknown"
                                                                                  : "?");
    };
    Socket kept;
    io.on_connection([&](Socket socket) { kept = socket; });
    io.on_durable("message", [](api::Tx&, const api::Message&) { return api::accept(); });
    SmallServer server(io);
    const auto client = server.connect();
    kept.submit("message", 1, note);
    server.hub().handle_transport_closed(client.connection, engineio::CloseReason::transport_close,
                                         Instant());
    kept.submit("message", 2, note);
    server.settle();
    kept.submit("message", 3, note);
    CHECK(outcomes == Frames{"unknown", "unknown", "unknown"});
}

TEST_CASE("a server that stops says so to its application") {
    api::Application io;
    std::string why;
    io.on("disconnect", [&](std::string reason) { why = reason; });
    SmallServer server(io);
    server.connect();
    server.hub().shut_down(Instant(Millis(1000)));
    server.settle();
    CHECK(why == "server shutting down");
}

TEST_CASE("an HTTP request is answered once") {
    api::Application io;
    CHECK_FALSE(io.takes_http());
    io.on_http([](const api::HttpRequest& request, api::HttpReply reply) {
        reply(200, std::string(request.path()));
        reply(500, "again");
    });
    std::vector<unsigned> answers;
    io.handle_http({"GET", "/a?b", "", "", {}, ""}, api::HttpReply([&](api::HttpAnswer answer) {
                       answers.push_back(answer.status);
                       CHECK(answer.body == "/a");
                   }));
    CHECK(answers == std::vector<unsigned>{200});
}

TEST_CASE("a handshake tells the time as JavaScript does") {
    api::Application io;
    std::int64_t now = 0;
    io.set_wall_clock([&] { return UnixMillis{now}; });
    std::string time;
    io.on_connection([&](Socket socket) { time = socket.handshake().time; });
    SmallServer server(io);
    const auto told = [&](std::int64_t at) {
        now = at;
        server.connect();
        return time;
    };
    const std::string zone = " GMT+0000 (Coordinated Universal Time)";
    CHECK(told(0) == "Thu Jan 01 1970 00:00:00" + zone);
    CHECK(told(951'782'399'000) == "Mon Feb 28 2000 23:59:59" + zone);
    CHECK(told(951'782'400'000) == "Tue Feb 29 2000 00:00:00" + zone);
    CHECK(told(1'795'188'831'999) == "Fri Nov 20 2026 15:33:51" + zone);
    CHECK(told(4'107'542'400'000) == "Mon Mar 01 2100 00:00:00" + zone);
}

}  // namespace api_server_test
