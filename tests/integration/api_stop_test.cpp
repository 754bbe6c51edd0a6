// What a server that is told to stop still does.
#include <catch2/catch.hpp>

#include <future>
#include <optional>
#include <string>
#include <thread>

#include "server/api/server.hpp"
#include "tests/integration/quick_server.hpp"
#include "tests/integration/tcp_client.hpp"

namespace api_stop_test {

using namespace integration;
using namespace oncewire;

TEST_CASE(
    "a durable handler that runs when the server is stopped is finished, and its sender told") {
    std::promise<void> begun;
    std::promise<void> go_on;
    api::Server::Options options;
    options.port = 0;
    api::Server server(options, [&](api::Application& io) {
        io.on_durable("slow", [&](api::Tx&, const api::Message&) {
            begun.set_value();
            go_on.get_future().wait();
            return Result<api::Verdict, api::StoreError>(api::accept("\"done\""));
        });
    });
    const auto port = server.listen();
    REQUIRE(port);
    WebSocketClient client(*port);
    REQUIRE(client.join());
    REQUIRE(client.send_text(R"(421["slow"])"));
    begun.get_future().wait();

    std::thread stopping([&server] { server.stop(); });
    for (int tries = 0; tries < 100'000 && !TcpClient(*port).is_closed(); ++tries) {
    }
    CHECK(TcpClient(*port).is_closed());  // so it is being stopped
    go_on.set_value();
    CHECK(client.receive_text() == R"(431[null,"done"])");
    stopping.join();
}

TEST_CASE("a server that is being stopped says so to who asks for its health") {
    std::promise<void> begun;
    std::promise<void> go_on;
    std::optional<QuickServer> server;
    server.emplace(core::Server::Options(), [&](api::Application& io) {
        io.on_durable("slow", [&](api::Tx&, const api::Message&) {
            begun.set_value();
            go_on.get_future().wait();
            return Result<api::Verdict, api::StoreError>(api::accept());
        });
    });
    TcpClient proxy(server->port());
    const auto health = [&] {
        proxy.send(get("/health"));
        return receive_answer(proxy);
    };
    CHECK(health().body == "ok\n");
    WebSocketClient client(server->port());
    REQUIRE(client.join());
    REQUIRE(client.send_text(R"(421["slow"])"));
    begun.get_future().wait();

    std::thread stopping([&server] { server.reset(); });
    Answer answer = health();
    for (int tries = 0; tries < 100'000 && answer.status == 200; ++tries) answer = health();
    CHECK(answer.status == 503);
    CHECK(answer.body == "leaving\n");
    CHECK(answer.head.find("no-store") != std::string::npos);
    go_on.set_value();
    stopping.join();
}

}  // namespace api_stop_test
