#include "server/api/application.hpp"

#include <catch2/catch.hpp>

#include "shared/base/json.hpp"
#include "tests/unit/small_server.hpp"

using namespace oncewire;
using Frames = std::vector<std::string>;

namespace {

api::Admission welcome(const api::Handshake&) { return {}; }

/// An application with the main namespace and one event.
void install(api::Application& application, api::Application::EventHandler handler) {
    application.use("/", welcome);
    application.on("ask", std::move(handler));
}

}  // namespace

TEST_CASE("a handler gets the arguments as JSON and answers once") {
    api::Application application;
    std::string seen;
    install(application, [&](api::Socket, const api::Event& event, api::Ack ack) {
        for (const auto arg : event.args) (seen += arg) += ';';
        CHECK(ack);
        ack({"1", "\"two\""});
        CHECK_FALSE(ack);
        ack({"3"});
    });
    SmallServer server(application);
    const auto client = server.connect();
    server.heard(client);
    server.send(client, R"(4217["ask", 1 ,"x",{"a":[null]}])");
    CHECK(seen == R"(1;"x";{"a":[null]};)");
    CHECK(server.heard(client) == Frames{R"(4317[1,"two"])"});
}

TEST_CASE("an event that asks for no answer gets none") {
    api::Application application;
    install(application, [](api::Socket, const api::Event&, api::Ack ack) {
        CHECK_FALSE(ack);
        ack({"1"});
    });
    SmallServer server(application);
    const auto client = server.connect();
    server.heard(client);
    server.send(client, R"(42["ask"])");
    CHECK(server.heard(client).empty());
}

TEST_CASE("an answer may come later, and may come too late") {
    api::Application application;
    std::optional<api::Ack> kept;
    install(application,
            [&](api::Socket, const api::Event&, api::Ack ack) { kept.emplace(std::move(ack)); });
    SmallServer server(application);
    const auto client = server.connect();
    server.send(client, R"(421["ask"])");
    server.send(client, "41");
    REQUIRE(kept);
    (*kept)({"1"});
    CHECK(server.is_open(client));
}

TEST_CASE("middleware decides who enters, by what the client says") {
    api::Application application;
    application.use("/", [](const api::Handshake& handshake) {
        return json::member(handshake.auth, "token") == "\"good\"" ? api::Admission{}
                                                                   : api::refuse("who are \"you\"");
    });
    SmallServer server(application);
    CHECK(server.heard(server.connect(R"(40{"token":"bad"})")) ==
          Frames{R"(44{"message":"who are \"you\""})"});
    const auto client = server.connect(R"(40{"token":"good"})");
    const auto frames = server.heard(client);
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].starts_with(R"(40{"sid":)"));
}

TEST_CASE("a namespace nobody opened is refused") {
    api::Application application;
    application.use("/", welcome);
    SmallServer server(application);
    CHECK(server.heard(server.connect("40/custom,")) ==
          Frames{R"(44/custom,{"message":"Invalid namespace"})"});
}

TEST_CASE("emit reaches one, to a room its members but the sender") {
    api::Application application;
    application.use("/", [](const api::Handshake&) { return api::Admission{.rooms = {"r"}}; });
    application.on("say", [](api::Socket socket, const api::Event& event, api::Ack) {
        socket.emit("you said", {event.args.at(0)});
        socket.to("r").emit("heard", {event.args.at(0), "true"});
    });
    application.on("leave",
                   [](api::Socket socket, const api::Event&, api::Ack) { socket.leave("r"); });
    SmallServer server(application);
    const auto ann = server.connect();
    const auto ben = server.connect();
    const auto eve = server.connect();
    server.send(eve, R"(42["leave"])");
    for (const auto client : {ann, ben, eve}) server.heard(client);
    server.send(ann, R"(42["say","hi"])");
    CHECK(server.heard(ann) == Frames{R"(42["you said","hi"])"});
    CHECK(server.heard(ben) == Frames{R"(42["heard","hi",true])"});
    CHECK(server.heard(eve).empty());
}

TEST_CASE("connection and disconnect are reported, with the reason in the reference's words") {
    api::Application application;
    Frames seen;
    application.use("/", welcome);
    application.on_connection([&](api::Socket socket) {
        CHECK(socket.id().size() == 20);
        CHECK(socket.request()->address == "127.0.0.1");
        seen.push_back("connection");
    });
    application.on_disconnect(
        [&](api::Socket, std::string_view reason) { seen.emplace_back(reason); });
    SmallServer server(application);
    server.send(server.connect(), "41");
    CHECK(seen == Frames{"connection", "client namespace disconnect"});
}

TEST_CASE("disconnect ends the namespace, or the connection") {
    api::Application application;
    install(application, [](api::Socket socket, const api::Event& event, api::Ack) {
        socket.disconnect(event.args.at(0) == "true");
    });
    SmallServer server(application);
    const auto ann = server.connect();
    server.send(ann, R"(42["ask",false])");
    CHECK(server.is_open(ann));
    CHECK(server.heard(ann).back() == "41");
    const auto ben = server.connect();
    server.send(ben, R"(42["ask",true])");
    CHECK_FALSE(server.is_open(ben));
}

TEST_CASE("events nobody handles, and handlers nobody calls, do nothing") {
    api::Application application;
    install(application, [](api::Socket, const api::Event&, api::Ack) { CHECK(false); });
    SmallServer server(application);
    const auto client = server.connect();
    server.heard(client);
    server.send(client, R"(421["unknown",1])");
    server.send(client, R"(42["__proto__"])");
    CHECK(server.heard(client).empty());
    CHECK(server.is_open(client));
}
