#include "server/api/application.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/support/small_server.hpp"

namespace api_application_test {

using namespace oncewire;
using api::Ack;
using api::Event;
using api::Json;
using api::Socket;
using Frames = std::vector<std::string>;

namespace {

/// A client that has heard everything so far.
SmallServer::Client join(SmallServer& server, const std::string& connect = "40",
                         std::size_t core = 0) {
    const auto client = server.connect(connect, core);
    server.heard(client);
    return client;
}

Frames ask(SmallServer& server, SmallServer::Client client, const std::string& frame) {
    server.send(client, frame);
    return server.heard(client);
}

}  // namespace

TEST_CASE("a handler takes the arguments it names and answers once") {
    api::Application io;
    io.on("hello", [](int number, std::string text, std::vector<double> list, Ack ack) {
        CHECK(ack);
        ack(number + 1, text + "!", list.size(), nullptr, Json{{"a", {1, true}}});
        CHECK_FALSE(ack);
        ack("again");
    });
    SmallServer server(io);
    const auto client = join(server);
    CHECK(ask(server, client, R"(4217["hello", 1 ,"x\n",[1.5,2e3],"more"])") ==
          Frames{R"(4317[2,"x\n!",2,null,{"a":[1,true]}])"});
}

TEST_CASE("an event that asks for no answer gets none") {
    api::Application io;
    io.on("ask", [](Ack ack) {
        CHECK_FALSE(ack);
        ack(1);
    });
    SmallServer server(io);
    const auto client = join(server);
    CHECK(ask(server, client, R"(42["ask"])").empty());
}

TEST_CASE("an answer may come later, and may come too late") {
    api::Application io;
    std::vector<Ack> kept;
    io.on("ask", [&](Ack ack) { kept.push_back(ack); });
    SmallServer server(io);
    const auto client = join(server);
    server.send(client, R"(421["ask"])");
    server.send(client, R"(422["ask"])");
    kept.at(0)(api::JsonText{"[1]"});
    server.settle();
    CHECK(server.heard(client) == Frames{"431[[1]]"});
    server.send(client, "41");
    kept.at(1)(1);
    server.settle();
    CHECK(server.is_open(client));
}

TEST_CASE("arguments that do not fit are answered and reported, and the handler is not called") {
    api::Application io;
    Frames reported;
    io.on("typed", [](int, std::optional<bool>) { CHECK(false); });
    io.on("text", [](std::string) { CHECK(false); });
    io.on("bytes", [](api::Binary) { CHECK(false); });
    io.on("number", [](double) { CHECK(false); });
    io.on("small", [](std::uint8_t) { CHECK(false); });
    io.on_error([&](Socket, const api::Error& error) {
        CHECK(error.kind == api::Error::Kind::bad_arguments);
        reported.push_back(error.event + ": " + error.message);
    });
    SmallServer server(io);
    const auto client = join(server);
    CHECK(
        ask(server, client, R"(421["typed","1"])") ==
        Frames{
            R"(431[{"error":"bad_arguments","message":"argument 1 must be an integer in range"}])"});
    for (const char* frame :
         {R"(42["typed"])", R"(42["typed",1.5])", R"(42["typed",1,"x"])", R"(42["text",null])",
          R"(42["bytes",{"_placeholder":true,"num":0}])", R"(42["number",1e400])",
          R"(42["number","1"])", R"(42["small",256])", R"(42["small",-1])"}) {
        CAPTURE(frame);
        reported.clear();
        CHECK(ask(server, client, frame).empty());
        CHECK(reported.size() == 1);
    }
    CHECK(server.is_open(client));
}

TEST_CASE("optional arguments may be null or left out, JSON may be anything") {
    api::Application io;
    io.on("ask", [](std::optional<int> number, Json json, Ack ack) { ack(number, json); });
    SmallServer server(io);
    const auto client = join(server);
    CHECK(ask(server, client, R"(421["ask"])") == Frames{"431[null,null]"});
    CHECK(ask(server, client, R"(421["ask",null,"x"])") == Frames{R"(431[null,"x"])"});
    CHECK(ask(server, client, R"(421["ask",7,{"b":[{}]}])") == Frames{R"(431[7,{"b":[{}]}])"});
}

TEST_CASE("the members of an object stay in the order in which they came or were added") {
    api::Application io;
    io.on("ask", [](Json json, Ack ack) {
        json["a"] = json["b"];
        ack(json, Json{{"z", 1}, {"a", {{"y", 2}, {"b", 3}}}});
    });
    SmallServer server(io);
    const auto client = join(server);
    CHECK(ask(server, client, R"(421["ask",{"z":1,"b":{"d":[],"c":2},"7":3}])") ==
          Frames{R"(431[{"z":1,"b":{"d":[],"c":2},"7":3,"a":{"d":[],"c":2}},)"
                 R"({"z":1,"a":{"y":2,"b":3}}])"});
}

TEST_CASE("of a repeated name the first place counts and the last value") {
    const auto text_of = [](std::string_view text) {
        const auto json = api::decode_json(text, {});
        return json ? json->dump() : "none";
    };
    CHECK(text_of(R"({"b":1,"a":2,"b":{"x":1,"x":2},"c":3,"a":4,"b":5})") ==
          R"({"b":5,"a":4,"c":3})");
    CHECK(text_of(R"([{"x":[1,{"x":2,"x":3}]},{}])") == R"([{"x":[1,{"x":3}]},{}])");
    CHECK(text_of(R"({"a":1e999})") == "none");
    CHECK(text_of("7") == "7");
}

// The square of it would be ten thousand million comparisons.
TEST_CASE("an object of a hundred thousand members is read") {
    std::string text = "{";
    for (int i = 0; i < 100'000; ++i) text += '"' + std::to_string(i) + R"(":0,)";
    text += R"("0":1})";
    const auto json = api::decode_json(text, {});
    REQUIRE(json);
    CHECK(json->size() == 100'000);
    CHECK(json->front() == 1);
}

#if defined(__cpp_exceptions)
namespace {
struct Point {
    int x = 0;
    int y = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Point, x, y)
struct Line {
    Point from, to;
};
void to_json(Json& json, const Line& line) {
    json = {{"to", {line.to.x, line.to.y}}, {"from", {line.from.x, line.from.y}}};
}
void from_json(const Json& json, Line& line) {
    line.from = {json.at("from").at(0), json.at("from").at(1)};
    line.to = {json.at("to").at(0), json.at("to").at(1)};
}
}  // namespace

TEST_CASE("a type of one's own is taken by its from_json, and never throws out") {
    api::Application io;
    int errors = 0;
    io.on("point", [](Point point, Ack ack) { ack(point, point.x + point.y); });
    io.on("line", [](std::vector<Line> lines, Ack ack) { ack(lines); });
    io.on_error([&](Socket, const api::Error&) { ++errors; });
    SmallServer server(io);
    const auto client = join(server);
    CHECK(ask(server, client, R"(421["point",{"x":1,"y":2}])") ==
          Frames{R"(431[{"x":1,"y":2},3])"});
    CHECK(ask(server, client, R"(421["line",[{"from":[1,2],"to":[3,4]}]])") ==
          Frames{R"(431[[{"to":[3,4],"from":[1,2]}]])"});
    for (const char* odd : {R"({"x":1})", R"({"x":1,"y":"2"})", "[]", "null"}) {
        ask(server, client, R"(42["point",)" + std::string(odd) + "]");
    }
    CHECK(errors == 4);
}
#endif

TEST_CASE("bytes come in and go out, at the top and inside") {
    api::Application io;
    io.on("bytes", [](Socket socket, api::Binary top, Json inside, Ack ack) {
        CHECK(top.bytes == "abc");
        REQUIRE(inside["deep"][0].is_binary());
        socket.emit("back", inside, top);
        ack(api::Binary{"!"});
    });
    io.on("echo", [](Socket socket, const Event& event) {
        socket.emit("echo", api::Binary{"first"}, event.arguments());
    });
    SmallServer server(io);
    const auto client = join(server);
    server.send(
        client,
        R"(452-7["bytes",{"_placeholder":true,"num":1},{"deep":[{"_placeholder":true,"num":0}]}])");
    server.send_bytes(client, "xyz");
    server.send_bytes(client, "abc");
    CHECK(
        server.heard(client) ==
        Frames{
            R"(452-["back",{"deep":[{"_placeholder":true,"num":0}]},{"_placeholder":true,"num":1}])",
            "xyz", "abc", R"(461-7[{"_placeholder":true,"num":0}])", "!"});
    server.send(client, R"(451-["echo",1,{"_placeholder":true,"num":0}])");
    server.send_bytes(client, "second");
    CHECK(server.heard(client) ==
          Frames{R"(452-["echo",{"_placeholder":true,"num":0},1,{"_placeholder":true,"num":1}])",
                 "first", "second"});
}

TEST_CASE("any text goes out as JSON, whatever bytes it has") {
    api::Application io;
    io.on_connection([](Socket socket) {
        socket.emit("text", "\"\\\n\x01", std::string("a\0b", 3), "\xff", Json("\xff"));
        socket.emit("numbers", 0.5, std::numeric_limits<double>::infinity(), -1, 1ull << 40, true);
    });
    SmallServer server(io);
    const auto frames = server.heard(server.connect());
    REQUIRE(frames.size() == 3);
    CHECK(frames[1] ==
          "42[\"text\",\"\\\"\\\\\\n\\u0001\",\"a\\u0000b\",\"\xef\xbf\xbd\",\"\xef\xbf\xbd\"]");
    CHECK(frames[2] == R"(42["numbers",0.5,null,-1,1099511627776,true])");
}

TEST_CASE("reserved names are not emitted, and that is told") {
    api::Application io;
    int errors = 0;
    io.on_error([&](Socket, const api::Error& error) {
        CHECK(error.kind == api::Error::Kind::reserved_name);
        ++errors;
    });
    io.on_connection([&](Socket socket) {
        socket.emit("disconnect", 1);
        io.emit("connect");
    });
    SmallServer server(io);
    CHECK(server.heard(server.connect()).size() == 1);
    CHECK(errors == 2);
}

TEST_CASE("handlers of a socket may come and go while they run") {
    api::Application io;
    Frames seen;
    io.on_connection([&](Socket socket) {
        socket.once("a", [&](Socket self) {
            seen.push_back("once");
            self.on("a", [&] { seen.push_back("late"); });
        });
        const auto listener = socket.on("a", [&] { seen.push_back("always"); });
        socket.on("stop", [socket, listener] { socket.off(listener); });
        socket.on("clear", [socket] { socket.off("a"); });
    });
    io.on("a", [&] { seen.push_back("namespace"); });
    SmallServer server(io);
    const auto client = join(server);
    server.send(client, R"(42["a"])");
    CHECK(seen == Frames{"once", "always", "namespace"});
    seen.clear();
    server.send(client, R"(42["a"])");
    CHECK(seen == Frames{"always", "late", "namespace"});
    seen.clear();
    server.send(client, R"(42["stop"])");
    server.send(client, R"(42["a"])");
    CHECK(seen == Frames{"late", "namespace"});
    seen.clear();
    server.send(client, R"(42["clear"])");
    server.send(client, R"(42["a"])");
    CHECK(seen == Frames{"namespace"});
}

TEST_CASE("catch-all listeners hear everything first, in and out") {
    api::Application io;
    Frames in, out;
    io.on_connection([&](Socket socket) {
        socket.on_any([&](const Event& event) { in.emplace_back(event.name); });
        socket.prepend_any([&](const Event&) { in.push_back("first"); });
        const auto id = socket.on_any_outgoing([&](const Event& event) {
            out.push_back(std::string(event.name) + ":" + event.arguments().data);
        });
        socket.on("a", [&, socket](Ack ack) {
            in.push_back("handler");
            socket.emit("one", 1);
            socket.volatile_().emit("two", 2);
            io.emit("all", 3);
            io.except(socket.id()).emit("others", 4);
            socket.emit_with_ack("asked", 5, [](api::AckResult) {});
            ack("not told");
        });
        socket.on("off", [socket, id] { socket.off_any_outgoing(id); });
    });
    SmallServer server(io);
    const auto client = join(server);
    server.send(client, R"(421["a"])");
    CHECK(in == Frames{"first", "a", "handler"});
    CHECK(out == Frames{"one:[1]", "asked:[5]", "two:[2]", "all:[3]"});
    out.clear();
    server.send(client, R"(42["off"])");
    server.send(client, R"(42["a"])");
    CHECK(out.empty());
}

TEST_CASE("a middleware of a socket holds an event back and the error is told") {
    api::Application io;
    Frames errors;
    bool handled = false;
    io.on_connection([&](Socket socket) {
        socket.use([](const Event& event) {
            return event.name == "bad" ? std::optional(api::refuse("not that")) : api::allow();
        });
        socket.on_error([&](const api::Error& error) { errors.push_back(error.message); });
        socket.on("bad", [&] { handled = true; });
        socket.on("good", [](Ack ack) { ack(); });
    });
    SmallServer server(io);
    const auto client = join(server);
    CHECK(ask(server, client, R"(421["bad"])").empty());
    CHECK_FALSE(handled);
    CHECK(errors == Frames{"not that"});
    CHECK(ask(server, client, R"(422["good"])") == Frames{"432[]"});
}

TEST_CASE("connection and disconnect are reported, rooms and data last until the end") {
    api::Application io;
    Frames seen;
    std::vector<std::string> rooms;
    io.on_connection([&](Socket socket) {
        CHECK(socket.id().size() == 20);
        CHECK(socket.connected());
        CHECK(socket.handshake().address == "127.0.0.1");
        CHECK(socket.rooms() == Frames{std::string(socket.id())});
        socket.join("r");
        socket.data()["name"] = "ann";
        socket.on("disconnecting", [&, socket](std::string reason) {
            CHECK_FALSE(socket.connected());
            rooms = socket.rooms();
            seen.push_back("disconnecting: " + reason);
        });
    });
    io.on("disconnect", [&](Socket socket, std::string reason) {
        CHECK(socket.rooms().empty());
        CHECK(socket.id().size() == 20);
        seen.push_back(socket.data()["name"].get<std::string>() + ": " + reason);
        socket.emit("too late");
        socket.join("too late");
    });
    SmallServer server(io);
    server.send(server.connect(), "41");
    CHECK(seen ==
          Frames{"disconnecting: client namespace disconnect", "ann: client namespace disconnect"});
    REQUIRE(rooms.size() == 2);
    CHECK(std::find(rooms.begin(), rooms.end(), "r") != rooms.end());
    seen.clear();
    server.cut(server.connect());
    CHECK(seen.back() == "ann: transport close");
}

TEST_CASE("disconnect ends the namespace, or the connection") {
    api::Application io;
    io.on("ask", [](Socket socket, bool close) { socket.disconnect(close); });
    SmallServer server(io);
    const auto ann = join(server);
    CHECK(ask(server, ann, R"(42["ask",false])") == Frames{"41"});
    CHECK(server.is_open(ann));
    const auto ben = join(server);
    server.send(ben, R"(42["ask",true])");
    CHECK_FALSE(server.is_open(ben));
}

TEST_CASE("events nobody handles do nothing") {
    api::Application io;
    io.on("ask", [] { CHECK(false); });
    SmallServer server(io);
    const auto client = join(server);
    CHECK(ask(server, client, R"(421["unknown",1])").empty());
    CHECK(ask(server, client, R"(42["__proto__"])").empty());
    CHECK(server.is_open(client));
}

TEST_CASE("what a client said at the door can be read") {
    api::Application io;
    Json seen;
    io.on_connection([&](Socket socket) { seen = socket.handshake(); });
    io.set_wall_clock([] { return UnixMillis{77}; });
    SmallServer server(io);
    server.headers = {{"Origin", "http://x"}, {"X-A", "b"}};
    const auto client = server.open(0, "/socket.io/?EIO=4&b=c%20d+e&empty=&&odd=%zz");
    server.send(client, R"(40{"token":"t"})");
    CHECK(seen["query"] == Json{{"EIO", "4"}, {"b", "c d e"}, {"empty", ""}, {"odd", "%zz"}});
    CHECK(seen["auth"] == Json{{"token", "t"}});
    CHECK(seen["headers"] == Json{{"origin", "http://x"}, {"x-a", "b"}});
    CHECK(seen["xdomain"] == true);
    CHECK(seen["issued"] == 77);
}

}  // namespace api_application_test
