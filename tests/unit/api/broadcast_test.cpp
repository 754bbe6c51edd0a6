#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/unit/support/small_server.hpp"

namespace api_broadcast_test {

using namespace oncewire;
using namespace std::chrono_literals;
using api::Ack;
using api::AckError;
using api::AckResult;
using api::BroadcastAcks;
using api::Json;
using api::Socket;
using Frames = std::vector<std::string>;

namespace {

/// Everybody is in the room named by `auth.room`.
void install(api::Application& io) {
    io.use([](Socket socket) {
        const Json auth = socket.handshake().auth;
        if (auth.contains("room")) socket.join(auth["room"].get<std::string>());
        socket.data() = auth;
        return api::allow();
    });
}

std::string connect_to(const std::string& room) { return R"(40{"room":")" + room + "\"}"; }

std::string sid_of(const Frames& frames) {
    return api::Json::parse(frames.at(0).substr(2))["sid"].get<std::string>();
}

Frames sorted(Frames frames) {
    std::sort(frames.begin(), frames.end());
    return frames;
}

}  // namespace

TEST_CASE("operators choose who hears it, and do not change each other") {
    api::Application io;
    install(io);
    io.on("say", [&](Socket socket, std::string how) {
        if (how == "to") socket.to("r").emit(how);
        if (how == "broadcast") socket.broadcast().emit(how);
        if (how == "except") socket.except("q").emit(how);
        if (how == "union") io.to("r").in("q").emit(how);
        if (how == "all") io.emit(how);
        if (how == "values") {
            const auto base = io.to("r");
            base.to("q").emit("both");
            base.except("q").emit("r only");
            base.emit("r");
        }
    });
    SmallServer server(io);
    const auto ann = server.connect(connect_to("r")), ben = server.connect(connect_to("r"));
    const auto eve = server.connect(connect_to("q"));
    const auto who = [&](const std::string& how) {
        for (const auto client : {ann, ben, eve}) server.heard(client);
        server.send(ann, R"(42["say",")" + how + "\"]");
        std::string names;
        if (!server.heard(ann).empty()) names += "ann ";
        if (!server.heard(ben).empty()) names += "ben ";
        if (!server.heard(eve).empty()) names += "eve ";
        return names;
    };
    CHECK(who("to") == "ben ");
    CHECK(who("broadcast") == "ben eve ");
    CHECK(who("except") == "ben ");
    CHECK(who("union") == "ann ben eve ");
    CHECK(who("all") == "ann ben eve ");
    for (const auto client : {ann, ben, eve}) server.heard(client);
    server.send(ann, R"(42["say","values"])");
    CHECK(server.heard(ben) == Frames{R"(42["both"])", R"(42["r only"])", R"(42["r"])"});
    CHECK(server.heard(eve) == Frames{R"(42["both"])"});
}

TEST_CASE("a client's answer reaches the one who asked, once") {
    api::Application io;
    Frames results;
    io.on_connection([&](Socket socket) {
        socket.timeout(5s).emit_with_ack("question", 1, [&](AckResult result) {
            REQUIRE(result);
            results.push_back(result->data);
            CHECK(result->get<int>(0) == 42);
            CHECK_FALSE(result->get<std::string>(0));
            CHECK(result->get<std::string>(1) == "x");
            CHECK_FALSE(result->get<int>(2));
        });
    });
    SmallServer server(io);
    const auto client = server.connect();
    CHECK(server.heard(client).at(1) == R"(420["question",1])");
    server.send(client, R"(439["unknown"])");
    server.send(client, R"(430[42,"x"])");
    server.send(client, R"(430[43])");
    server.wait(6s);
    CHECK(results == Frames{R"([42,"x"])"});
}

TEST_CASE("no answer is told as such: in time, or at once when the client goes") {
    api::Application io;
    std::vector<AckError> errors;
    const auto note = [&](AckResult result) {
        REQUIRE_FALSE(result);
        errors.push_back(result.error());
    };
    std::optional<Socket> kept;
    io.on_connection([&](Socket socket) {
        kept = socket;
        socket.timeout(5s).emit_with_ack("a", note);
        socket.emit_with_ack("b", note);
    });
    SmallServer server(io);
    const auto client = server.connect();
    server.wait(4s);
    CHECK(errors.empty());
    server.wait(1s);
    CHECK(errors == std::vector{AckError::timed_out});
    server.cut(client);
    CHECK(errors == std::vector{AckError::timed_out, AckError::disconnected});
    kept->emit_with_ack("c", note);
    server.settle();
    CHECK(errors.size() == 3);
}

TEST_CASE("a request that is dropped sends nothing") {
    api::Application io;
    io.on_connection([&](Socket socket) { (void)socket.emit_with_ack("a", 1); });
    SmallServer server(io);
    CHECK(server.heard(server.connect()).size() == 1);
}

TEST_CASE("answers to a broadcast are told by whom, as they arrive, over all cores") {
    std::vector<std::pair<std::string, std::string>> arrived;
    std::optional<BroadcastAcks> end;
    SmallServer server(2, install);
    const auto ann = server.connect("40", 0), ben = server.connect("40", 1);
    const auto ann_sid = sid_of(server.heard(ann)), ben_sid = sid_of(server.heard(ben));
    // The asking core is not the one that orders.
    server.application(1)
        .timeout(5s)
        .on_answer([&](std::string_view socket, const api::Arguments& answer) {
            arrived.emplace_back(socket, answer.data);
        })
        .emit_with_ack("question", "?", [&](const BroadcastAcks& acks) { end = acks; });
    server.settle();
    CHECK(server.heard(ann) == Frames{R"(420["question","?"])"});
    CHECK(server.heard(ben) == Frames{R"(420["question","?"])"});
    server.send(ben, R"(430["b",1])");
    CHECK(arrived == std::vector<std::pair<std::string, std::string>>{{ben_sid, R"(["b",1])"}});
    CHECK_FALSE(end);
    server.send(ann, R"(461-0[{"_placeholder":true,"num":0}])");
    server.send_bytes(ann, "bytes");
    REQUIRE(arrived.size() == 2);
    CHECK(arrived[1].first == ann_sid);
    REQUIRE(end);
    CHECK(end->asked == 2);
    CHECK_FALSE(end->timed_out);
    CHECK(end->answers.at(1).arguments.get<api::Binary>() == api::Binary{"bytes"});
}

TEST_CASE("a broadcast's answers end: nobody there, somebody silent, somebody gone") {
    SmallServer server(2, install);
    std::optional<BroadcastAcks> end;
    const auto done = [&](const BroadcastAcks& acks) { end = acks; };
    server.application(0).to("nobody").emit_with_ack("q", done);
    server.settle();
    REQUIRE(end);
    CHECK(end->asked == 0);
    CHECK_FALSE(end->timed_out);

    const auto ann = server.connect("40", 0), ben = server.connect("40", 1);
    end.reset();
    server.application(0).timeout(1s).emit_with_ack("q", done);
    server.settle();
    server.send(ann, "431[1]");
    server.wait(1s);
    REQUIRE(end);
    CHECK(end->timed_out);
    CHECK(end->answers.size() == 1);
    server.send(ben, "431[1]");
    CHECK(server.is_open(ben));

    end.reset();
    server.application(0).local().emit_with_ack("q", done);
    server.settle();
    CHECK(server.heard(ben).size() == 2);  // CONNECT and the first question, not this one
    server.cut(ann);
    REQUIRE(end);
    CHECK(end->asked == 1);
    CHECK(end->answers.empty());
}

TEST_CASE("broadcasts of all cores reach everybody in one order") {
    SmallServer server(
        3, [](api::Application& io) { io.on("say", [&io](Json text) { io.emit("said", text); }); });
    std::vector<SmallServer::Client> clients;
    for (std::size_t core = 0; core < 3; ++core) clients.push_back(server.connect("40", core));
    for (const auto client : clients) server.heard(client);
    for (std::size_t core = 0; core < 3; ++core) {
        server.application(core).emit("from", core);
        server.application(core).emit("again", core);
    }
    server.settle();
    const auto first = server.heard(clients[0]);
    CHECK(first.size() == 6);
    CHECK(server.heard(clients[1]) == first);
    CHECK(server.heard(clients[2]) == first);
    server.application(1).local().emit("here");
    server.settle();
    CHECK(server.heard(clients[0]).empty());
    CHECK(server.heard(clients[1]) == Frames{R"(42["here"])"});
}

TEST_CASE("sockets of all cores are fetched, moved between rooms, spoken to and sent away") {
    SmallServer server(2, install);
    const auto ann = server.connect(connect_to("r"), 0), ben = server.connect(connect_to("r"), 1);
    const auto eve = server.connect(connect_to("q"), 1);
    for (const auto client : {ann, ben, eve}) server.heard(client);
    Frames rooms;
    std::vector<api::RemoteSocket> fetched;
    const auto fetch = [&](const api::BroadcastOperator& whom) {
        fetched.clear();
        whom.fetch_sockets().then([&](std::vector<api::RemoteSocket> all) { fetched = all; });
        server.settle();
        return fetched.size();
    };
    auto& io = server.application(0);
    CHECK(fetch(io.to("r")) == 2);
    CHECK(fetched[0].data() == Json{{"room", "r"}});
    CHECK(fetched[1].rooms().size() == 2);
    CHECK(fetched[1].handshake()["address"] == "127.0.0.1");
    CHECK(fetch(io.local()) == 1);
    CHECK(fetch(io.except("r")) == 1);
    fetched[0].emit("you", 1);
    fetched[0].join("s");
    io.to("s").emit("s");
    io.to("r").sockets_join("t");
    io.to("t").emit("t");
    io.sockets_leave("t");
    io.to("t").emit("nobody");
    server.settle();
    CHECK(server.heard(eve) == Frames{R"(42["you",1])", R"(42["s"])"});
    CHECK(server.heard(ann) == Frames{R"(42["t"])"});
    CHECK(server.heard(ben) == Frames{R"(42["t"])"});
    io.to("r").disconnect_sockets();
    fetched[0].disconnect(true);
    server.settle();
    CHECK(server.heard(ann) == Frames{"41"});
    CHECK(server.heard(ben) == Frames{"41"});
    CHECK(server.is_open(ben));
    CHECK_FALSE(server.is_open(eve));
}

TEST_CASE("applications of other cores hear each other, clients do not") {
    std::vector<std::string> heard;
    SmallServer server(3, [&, core = 0](api::Application& io) mutable {
        io.on_server_side("note", [&heard, core](int number) {
            heard.push_back(std::to_string(core) + ":" + std::to_string(number));
        });
        ++core;
    });
    const auto client = server.connect("40", 2);
    server.heard(client);
    server.application(1).server_side_emit("note", 7);
    server.settle();
    CHECK(sorted(heard) == Frames{"0:7", "2:7"});
    CHECK(server.heard(client).empty());
}

TEST_CASE("a socket that never was takes everything and does nothing") {
    const Socket nobody;
    nobody.emit("a", 1);
    nobody.broadcast().emit("a");
    nobody.to("r").fetch_sockets().then(
        [](const std::vector<api::RemoteSocket>&) { CHECK(false); });
    nobody.emit_with_ack("a", [](AckResult) { CHECK(false); });
    nobody.join("r");
    nobody.disconnect();
    nobody.on("a", [] {});
    CHECK(nobody.id().empty());
    CHECK(nobody.rooms().empty());
    CHECK(nobody.data().is_null());
    CHECK_FALSE(nobody.connected());
    CHECK(nobody.handshake().auth == Json::object());
}

TEST_CASE("a volatile event is not queued behind another") {
    api::Application io;
    io.on_connection([](Socket socket) {
        socket.volatile_().emit("lost");  // CONNECT's answer is still on its way out
        socket.on("ask", [socket] { socket.volatile_().emit("found"); });
    });
    SmallServer server(io);
    const auto client = server.connect();
    CHECK(server.heard(client).size() == 1);
    server.send(client, R"(42["ask"])");
    CHECK(server.heard(client) == Frames{R"(42["found"])"});
}

}  // namespace api_broadcast_test
