// WebSocket and Socket.IO over real sockets: what is wrong ends one connection and nothing else.
#include <catch2/catch.hpp>

#include <chrono>

#include "tests/integration/quick_server.hpp"
#include "tests/integration/server_process.hpp"
#include "tests/integration/tcp_client.hpp"

namespace websocket_test {

using namespace integration;
using oncewire::Millis;

namespace {

std::string frame(unsigned first_byte, const std::string& payload) {
    return WebSocketClient::frame(first_byte, payload);
}

}  // namespace

TEST_CASE("a handshake is answered together with the open packet") {
    ServerProcess server;
    WebSocketClient client(server.port());
    CHECK(client.status() == 101);
    const std::string open = client.receive_text().value_or("");
    CHECK(open.starts_with(R"(0{"sid":")"));
    CHECK(open.find(R"("upgrades":[],"pingInterval":25000,"pingTimeout":20000)") != open.npos);
    CHECK(client.join());
    CHECK(client.is_served());
}

TEST_CASE("frames glued to the handshake are heard") {
    ServerProcess server;
    WebSocketClient good(server.port(), frame(0x89, "ping") + frame(0x81, "40"));
    CHECK(good.receive_text().value_or("").starts_with("0{"));
    const auto pong = good.receive();
    CHECK((pong && pong->payload == "ping"));
    CHECK(good.receive_text().value_or("").starts_with("40{"));
    WebSocketClient bad(server.port(), frame(0xb1, "x"));
    CHECK(bad.receive_close() == 1002);
}

TEST_CASE("what breaks the framing ends that connection with the right code") {
    ServerProcess server;
    WebSocketClient bystander(server.port());
    REQUIRE(bystander.join());
    std::string fragments = frame(0x01, "");
    for (int i = 0; i < 2000; ++i) fragments += frame(0x00, "");
    std::string pings;
    for (int i = 0; i < 100; ++i) pings += frame(0x89, "x");
    struct Broken {
        const char* name;
        std::string bytes;
        unsigned code;
    };
    for (const Broken& each : std::vector<Broken>{
             {"unmasked", std::string("\x81\x01x", 3), 1002},
             {"reserved bit", frame(0xc1, "x"), 1002},
             {"reserved opcode", frame(0x83, "x"), 1002},
             {"fragmented ping", frame(0x09, "x"), 1002},
             {"stray continuation", frame(0x80, "x"), 1002},
             {"bad UTF-8", frame(0x81, "\xff"), 1007},
             {"too large", std::string("\x82\xff\0\0\0\0\x40\0\0\0mask", 14), 1009},
             {"flood of empty fragments", fragments, 1008},
             {"flood of pings", pings, 1008},
             {"bad close code", frame(0x88, "\x03\xed"), 1002},
             {"close", frame(0x88, "\x03\xe8"), 1000},
             {"empty close", frame(0x88, ""), 1005},
         }) {
        CAPTURE(each.name);
        WebSocketClient client(server.port());
        client.tcp().send(each.bytes);
        CHECK(client.receive_close() == each.code);
    }
    CHECK(bystander.is_served());
}

TEST_CASE("what breaks Engine.IO or Socket.IO ends that connection") {
    ServerProcess server;
    WebSocketClient bystander(server.port());
    REQUIRE(bystander.join());
    for (const std::string& packet : std::vector<std::string>{
             "", "x", "9", "2", "1", "4", "47", "4abc", "42[\"m\"]", "40x", "44{}", "42",
             "40{\"a\"", "40" + std::string(100'000, '['), "4" + std::string(1'000, '2'),
             "42" + std::string(100'000, '1') + "[]"}) {
        CAPTURE(packet.substr(0, 20));
        WebSocketClient client(server.port());
        client.send_text(packet);
        CHECK(client.receive_close() != 0);
        CHECK(client.tcp().is_closed());
    }
    CHECK(bystander.is_served());
}

TEST_CASE("a ping is answered with its payload, many with the last one") {
    ServerProcess server;
    WebSocketClient client(server.port());
    client.receive_text();
    client.tcp().send(frame(0x89, "one"));
    auto pong = client.receive();
    REQUIRE(pong);
    CHECK(pong->opcode == 10);
    CHECK(pong->payload == "one");
    client.tcp().send(frame(0x89, "two") + frame(0x89, "three"));
    do {
        pong = client.receive();
        REQUIRE(pong);
    } while (pong->payload == "two");
    CHECK(pong->payload == "three");
}

TEST_CASE("silence after the handshake ends the connection") {
    oncewire::core::Server::Options options;
    options.server.connect_timeout = Millis(200);
    QuickServer server(std::move(options));
    WebSocketClient mute(server.port());
    CHECK(mute.receive_close() == 1005);
}

TEST_CASE("silence after CONNECT ends the connection") {
    oncewire::core::Server::Options options;
    options.server.ping_interval = Millis(100);
    options.server.ping_timeout = Millis(3000);
    QuickServer server(std::move(options));
    WebSocketClient joined(server.port());
    REQUIRE(joined.join());
    bool pinged = false;
    while (const auto next = joined.receive()) pinged = pinged || next->payload == "2";
    CHECK(pinged);
    CHECK(joined.tcp().is_closed());
}

TEST_CASE("a client that goes away without a word is forgotten") {
    ServerProcess server;
    { WebSocketClient client(server.port()); }
    {
        WebSocketClient client(server.port());
        client.tcp().end_sending();
        client.tcp().receive_all();
        CHECK(client.tcp().is_closed());
    }
    WebSocketClient bystander(server.port());
    CHECK(bystander.join());
}

TEST_CASE("a client that asks and never reads is closed, at bounded cost and nobody else's") {
    ServerProcess server;
    WebSocketClient bystander(server.port());
    REQUIRE(bystander.join());
    WebSocketClient greedy(server.port());
    REQUIRE(greedy.join());
    const std::uint64_t before = server.resident_bytes();
    const std::string question = frame(0x81, R"(421["echo",")" + std::string(100'000, 'x') + "\"]");
    std::string unsent;
    const auto limit = std::chrono::steady_clock::now() + patience;
    while (!greedy.tcp().is_reset() && std::chrono::steady_clock::now() < limit) {
        if (unsent.empty()) unsent = question;
        unsent.erase(0, greedy.tcp().send_some(unsent));
    }
    CHECK(greedy.tcp().is_reset());
    CHECK(bystander.is_served());
    CHECK(server.resident_bytes() < before + (32u << 20));
}

TEST_CASE("messages of one reach all, whichever core they are on") {
    ServerProcess server({.flags = {"--port", "0", "--db", ":memory:", "--cores", "3"}});
    std::vector<WebSocketClient> clients;
    for (int i = 0; i < 12; ++i) {
        clients.emplace_back(server.port());
        REQUIRE(clients.back().join(R"({"serverOffset":0})"));
    }
    for (int i = 0; i < 12; ++i) {
        clients[static_cast<std::size_t>(i)].send_text(R"(42["chat message","m)" +
                                                       std::to_string(i) + "\"]");
    }
    std::vector<std::vector<std::string>> heard(12);
    for (std::size_t i = 0; i < 12; ++i) {
        while (heard[i].size() < 12) {
            const auto text = clients[i].receive_text();
            REQUIRE(text);
            heard[i].push_back(*text);
        }
    }
    for (const auto& each : heard) CHECK(each == heard[0]);
}

}  // namespace websocket_test
