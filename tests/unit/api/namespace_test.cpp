#include <catch2/catch.hpp>

#include "tests/unit/support/small_server.hpp"

namespace api_namespace_test {

using namespace oncewire;
using api::Ack;
using api::Json;
using api::Next;
using api::Socket;
using Frames = std::vector<std::string>;

TEST_CASE("a namespace nobody opened is refused in exactly these words") {
    api::Application io;
    SmallServer server(io);
    CHECK(server.heard(server.connect("40/custom,")) ==
          Frames{R"(44/custom,{"message":"Invalid namespace"})"});
}

TEST_CASE("each namespace has its own handlers") {
    api::Application io;
    io.on("who", [](Ack ack) { ack("main"); });
    io.of("admin").on("who", [](Socket socket, Ack ack) { ack(socket.nsp()); });
    SmallServer server(io);
    const auto client = server.connect();
    server.send(client, "40/admin,");
    server.heard(client);
    server.send(client, R"(421["who"])");
    server.send(client, R"(42/admin,1["who"])");
    CHECK(server.heard(client) == Frames{R"(431["main"])", R"(43/admin,1["/admin"])"});
}

TEST_CASE("middlewares run in order, and the first that refuses ends it") {
    api::Application io;
    Frames order;
    io.use([&](Socket) {
        order.push_back("first");
        return api::allow();
    });
    io.use([&](Socket socket, Next next) {
        order.push_back("second");
        if (socket.handshake().auth.value("token", "") == "good") return next();
        next(api::refuse("who are \"you\"", Json{{"code", 42}}));
        next();
    });
    io.use([&](Socket) {
        order.push_back("third");
        return api::allow();
    });
    io.on_connection([&](Socket) { order.push_back("connection"); });
    SmallServer server(io);
    const auto refused = server.connect(R"(40{"token":"bad"})");
    CHECK(server.heard(refused) == Frames{R"(44{"message":"who are \"you\"","data":{"code":42}})"});
    CHECK(order == Frames{"first", "second"});
    order.clear();
    server.send(refused, R"(40{"token":"good"})");
    CHECK(server.heard(refused).at(0).starts_with(R"(40{"sid":)"));
    CHECK(order == Frames{"first", "second", "third", "connection"});
}

TEST_CASE("a middleware may answer later, once, or too late") {
    api::Application io;
    std::vector<Next> waiting;
    Frames gone;
    io.use([&](Socket socket, Next next) {
        socket.join("early");
        waiting.push_back(next);
    });
    io.on("disconnect", [&](Socket) { gone.push_back("disconnect"); });
    SmallServer server(io);
    const auto ann = server.connect();
    CHECK(server.heard(ann).empty());
    io.to("early").emit("hidden");
    waiting.at(0)();
    waiting.at(0)(api::refuse("changed my mind"));
    server.settle();
    io.to("early").emit("seen");
    server.settle();
    const auto heard = server.heard(ann);
    REQUIRE(heard.size() == 2);
    CHECK(heard[1] == R"(42["seen"])");

    const auto ben = server.connect();
    server.cut(ben);
    waiting.at(1)();
    server.settle();
    CHECK(gone.empty());
    CHECK(server.hub().counts().sockets_open == 1);
}

TEST_CASE("dynamic namespaces come to be when asked for, with what their parent had") {
    api::Application io;
    Frames born;
    io.on_new_namespace([&](api::Namespace nsp) { born.push_back(nsp.name()); });
    auto games = io.of(api::Pattern{"/game-#/*"});
    games.use([](Socket socket) {
        return socket.nsp() == "/game-6/x" ? std::optional(api::refuse("closed")) : api::allow();
    });
    games.on("who", [](Socket socket, Ack ack) { ack(socket.nsp()); });
    io.of([](std::string_view, const Json& auth) {
          return auth.value("key", 0) == 1;
      }).on_connection([](Socket socket) { socket.emit("by predicate"); });
    SmallServer server(io);

    const auto client = server.connect("40/game-7/red,");
    server.send(client, R"(42/game-7/red,1["who"])");
    CHECK(server.heard(client).at(1) == R"(43/game-7/red,1["/game-7/red"])");
    CHECK(server.heard(server.connect("40/game-6/x,")) ==
          Frames{R"(44/game-6/x,{"message":"closed"})"});
    CHECK(server.heard(server.connect(R"(40/any,{"key":1})")).at(1) ==
          R"(42/any,["by predicate"])");
    for (const char* other : {"/game-x/red", "/game-7/", "/game-7/a/b", "/Game-7/a", "/other"}) {
        CHECK(server.heard(server.connect("40" + std::string(other) + ","))
                  .at(0)
                  .ends_with(R"({"message":"Invalid namespace"})"));
    }
    CHECK(born == Frames{"/game-7/red", "/game-6/x", "/any"});

    games.emit("to all children", 1);
    server.settle();
    CHECK(server.heard(client) == Frames{R"(42/game-7/red,["to all children",1])"});
}

TEST_CASE("an empty child namespace is forgotten if so wished") {
    for (const bool wished : {true, false}) {
        api::Application io;
        int born = 0;
        io.cleanup_empty_child_namespaces(wished);
        io.on_new_namespace([&](api::Namespace) { ++born; });
        io.of(api::Pattern{"/*"});
        SmallServer server(io);
        const auto ann = server.connect("40/a,"), ben = server.connect("40/a,");
        server.cut(ann);
        server.connect("40/a,");
        CHECK(born == 1);
        server.cut(ben);
        server.send(server.connect("40/b,"), "41/b,");
        server.connect("40/b,");
        CHECK(born == (wished ? 3 : 2));
    }
}

TEST_CASE("patterns match whole names") {
    const auto matches = [](const char* pattern, const char* name) {
        return api::Pattern{pattern}.matches(name);
    };
    CHECK(matches("/a", "/a"));
    CHECK_FALSE(matches("/a", "/ab"));
    CHECK_FALSE(matches("/ab", "/a"));
    CHECK(matches("/*", "/x"));
    CHECK_FALSE(matches("/*", "/"));
    CHECK_FALSE(matches("/*", "/x/y"));
    CHECK(matches("/#", "/0123456789"));
    CHECK_FALSE(matches("/#", "/1a"));
    CHECK(matches("/*b*", "/abbbc"));
    CHECK_FALSE(matches("/*b*", "/b"));
}

}  // namespace api_namespace_test
