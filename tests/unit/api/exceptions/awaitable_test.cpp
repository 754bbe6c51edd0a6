#include "server/api/awaitable.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/support/small_server.hpp"

namespace api_awaitable_test {

using namespace oncewire;
using namespace std::chrono_literals;
using api::Socket;
using Frames = std::vector<std::string>;

namespace {

struct Witness {
    int* alive;
    explicit Witness(int* count) : alive(count) { ++*alive; }
    Witness(const Witness& other) : alive(other.alive) { ++*alive; }
    ~Witness() { --*alive; }
};

}  // namespace

TEST_CASE("a handler may wait for an answer, and for another") {
    api::Application io;
    io.on("start", [](Socket socket, int number, api::Ack ack) -> api::Task {
        const auto first = co_await socket.timeout(5s).emit_with_ack("first", number);
        const auto second = co_await socket.timeout(5s).emit_with_ack("second");
        ack(first ? first->get<int>().value_or(-1) : 0,
            second ? "answered" : api::error_text(second.error()));
    });
    SmallServer server(io);
    const auto client = server.connect();
    server.heard(client);
    server.send(client, R"(427["start",1])");
    CHECK(server.heard(client) == Frames{R"(420["first",1])"});
    server.send(client, "430[5]");
    CHECK(server.heard(client) == Frames{R"(421["second"])"});
    server.wait(5s);
    CHECK(server.heard(client) == Frames{R"(437[5,"operation has timed out"])"});
}

TEST_CASE("broadcasts and sockets can be waited for, too") {
    api::Application io;
    io.on("start", [&io](api::Ack ack) -> api::Task {
        auto& all = io;
        const auto sockets = co_await all.fetch_sockets();
        const auto acks = co_await all.timeout(1s).emit_with_ack("q");
        ack(sockets.size(), acks.answers.size());
    });
    SmallServer server(io);
    const auto client = server.connect();
    server.heard(client);
    server.send(client, R"(427["start"])");
    CHECK(server.heard(client) == Frames{R"(420["q"])"});
    server.send(client, "430[1]");
    CHECK(server.heard(client) == Frames{"437[1,1]"});
}

TEST_CASE("a coroutine nobody can wake any more is destroyed") {
    int alive = 0;
    {
        api::Application io;
        const auto wait = [](Socket socket, Witness) -> api::Task {
            (void)co_await socket.emit_with_ack("never answered");
        };
        io.on("start", [&](Socket socket) { wait(socket, Witness(&alive)); });
        SmallServer server(io);
        const auto client = server.connect();
        server.send(client, R"(42["start"])");
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
}

}  // namespace api_awaitable_test
