// Who a client is behind a proxy, what is counted for it, and which names and paths the server answers to.
#include <catch2/catch.hpp>
#include <csignal>

#include <fstream>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/quick_server.hpp"
#include "tests/integration/server_process.hpp"
#include "tests/integration/tcp_client.hpp"

namespace proxy_test {

using namespace integration;
using oncewire::api::Application;
using oncewire::api::HttpReply;
using oncewire::api::HttpRequest;
using oncewire::core::Server;
using oncewire::net::IpBlock;

namespace {

const std::string handshake = "/socket.io/?EIO=4&transport=polling";
const std::string upgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string socket_url = "/socket.io/?EIO=4&transport=websocket";

Server::Options trusting(const std::string& block = "127.0.0.1") {
    Server::Options options;
    options.http.trusted_proxies = std::vector{*IpBlock::parse(block)};
    return options;
}

/// Answers every request that nobody else does with who sent it.
void say_who(Application& io) {
    io.on_http([](const HttpRequest& request, const HttpReply& reply) {
        reply({200, {}, request.address + ' ' + request.network + ' ' + request.target});
    });
}

std::string forwarded(const std::string& address) { return "X-Forwarded-For: " + address + "\r\n"; }

unsigned poll(std::uint16_t port, const std::string& fields = "") {
    return fetch(port, get(handshake, fields)).status;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// With its own Host and whatever else.
std::string ask(const std::string& host, const std::string& target,
                const std::string& fields = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n";
}

/// Lines that a server logs.
class Lines {
  public:
    void operator()(const std::string& line) {
        const std::lock_guard lock(mutex_);
        all_ += line + '\n';
    }
    std::string all() {
        const std::lock_guard lock(mutex_);
        return all_;
    }

  private:
    std::mutex mutex_;
    std::string all_;
};

}  // namespace

TEST_CASE("a trusted proxy says who its clients are; a stranger says nothing") {
    QuickServer behind(trusting(), say_who);
    CHECK(fetch(behind.port(), get("/who", forwarded("6.6.6.6, 192.0.2.1"))).body ==
          "192.0.2.1 192.0.2.1 /who");
    CHECK(fetch(behind.port(), get("/who", "Forwarded: for=\"[2001:db8:1:2::3]:4711\"\r\n")).body ==
          "2001:db8:1:2::3 2001:db8:1:2::/64 /who");
    QuickServer bare({}, say_who);
    CHECK(fetch(bare.port(), get("/who", forwarded("192.0.2.1"))).body ==
          "127.0.0.1 127.0.0.1 /who");
}

TEST_CASE(
    "a PROXY header is read from a trusted proxy, whole or in pieces, and refused from others") {
    const std::string line = "PROXY TCP4 192.0.2.1 203.0.113.9 4711 80\r\n";
    const std::string binary = std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16) +
                               std::string("\xc0\0\x02\x02\xcb\0\x71\x09\x12\x67\0\x50", 12);
    QuickServer behind(trusting(), say_who);
    for (const auto& [header, address] :
         {std::pair{line, std::string("192.0.2.1")}, std::pair{binary, std::string("192.0.2.2")}}) {
        TcpClient client(behind.port());
        const std::string all = header + get("/who", forwarded("6.6.6.6"));
        client.send(all.substr(0, 5));
        client.send(all.substr(5, 20));
        client.send(all.substr(25));
        CHECK(receive_answer(client).body == address + ' ' + address + " /who");
        client.send(get("/who"));
        CHECK(receive_answer(client).body == address + ' ' + address + " /who");
    }
    TcpClient client(behind.port());
    client.send("PROXY TCP4 nobody\r\n" + get("/who"));
    CHECK(receive_answer(client).status == 400);
    QuickServer bare({}, say_who);
    for (const auto& header : {line, binary}) {
        CHECK(fetch(bare.port(), header + get("/who")).status == 400);
    }
}

TEST_CASE("a session is secure if a trusted proxy says so, and nobody else") {
    const auto say_scheme = [](Application& io) {
        io.on_connection([](const oncewire::api::Socket& socket) {
            socket.emit("scheme", socket.handshake().secure ? "https" : "http");
        });
    };
    const auto scheme_of = [&](std::uint16_t port, const std::string& fields) {
        TcpClient client(port);
        client.send(get(socket_url, upgrade + fields) + WebSocketClient::frame(0x81, "40"));
        const std::string said = client.receive_until("\"]").value_or("");
        return said.substr(said.rfind('[') + 1);
    };
    const std::string https = R"("scheme","https"])";
    const std::string http = R"("scheme","http"])";
    QuickServer behind(trusting(), say_scheme);
    CHECK(scheme_of(behind.port(), "X-Forwarded-Proto: https\r\n") == https);
    CHECK(scheme_of(behind.port(), "Forwarded: for=192.0.2.1;proto=https\r\n") == https);
    CHECK(scheme_of(behind.port(), "X-Forwarded-Proto: http\r\n") == http);
    CHECK(scheme_of(behind.port(), "") == http);
    QuickServer alone({}, say_scheme);
    CHECK(scheme_of(alone.port(), "X-Forwarded-Proto: https\r\n") == http);
}

TEST_CASE("behind a trusted proxy each client has places of its own, in front of it all are one") {
    Server::Options options = trusting();
    options.server.max_connections_per_address = 2;
    QuickServer behind(std::move(options));
    TcpClient proxy(behind.port());
    const auto by_proxy = [&](const std::string& address) {
        proxy.send(get(handshake, forwarded(address)));
        return receive_answer(proxy).status;
    };
    for (int i = 0; i < 100; ++i) CHECK(by_proxy("192.0.2." + std::to_string(i)) == 200);
    CHECK(by_proxy("192.0.2.1") == 200);
    CHECK(by_proxy("192.0.2.1") == 503);
    CHECK(by_proxy("2001:db8::1") == 200);
    CHECK(by_proxy("2001:db8::2") == 200);
    CHECK(by_proxy("2001:db8::3") == 503);
    CHECK(by_proxy("2001:db8:0:1::3") == 200);
    // WebSockets, too, each on a connection of the proxy's.
    std::vector<TcpClient> sockets;
    const auto dial = [&](const std::string& address) {
        sockets.emplace_back(behind.port());
        sockets.back().send(get(socket_url, upgrade + forwarded(address)));
        return receive_answer(sockets.back(), false).status;
    };
    CHECK(dial("192.0.2.1") == 503);
    CHECK(dial("198.51.100.1") == 101);
    CHECK(dial("198.51.100.1") == 101);
    CHECK(dial("198.51.100.1") == 503);
    CHECK(poll(behind.port(), forwarded("198.51.100.1")) == 503);
    // Whom a PROXY header names has the whole connection.
    std::vector<TcpClient> passed;
    const auto pass = [&] {
        passed.emplace_back(behind.port());
        passed.back().send("PROXY TCP4 203.0.113.7 127.0.0.1 1 1\r\n" + get("/"));
        return receive_answer(passed.back()).status;
    };
    CHECK(pass() == 200);
    CHECK(pass() == 200);
    CHECK(pass() == 503);
}

TEST_CASE("loopback has its limit, and one connection begins only so many sessions that poll") {
    Server::Options options;
    options.server.max_connections_per_address = 8;
    options.sessions_per_connection = 3;
    QuickServer server(std::move(options));
    TcpClient first(server.port());
    const auto begin = [](TcpClient& client) {
        client.send(get(handshake));
        return receive_answer(client);
    };
    std::string sid;
    for (int i = 0; i < 3; ++i) {
        const Answer opened = begin(first);
        CHECK(opened.status == 200);
        const std::size_t at = opened.body.find("\"sid\":\"") + 7;
        sid = opened.body.substr(at, opened.body.find('"', at) - at);
    }
    CHECK(begin(first).status == 503);
    TcpClient second(server.port());
    CHECK(begin(second).status == 200);
    // Who says goodbye makes room.
    second.send("POST " + handshake + "&sid=" + sid +
                " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1");
    CHECK(receive_answer(second).body == "ok");
    CHECK(begin(first).status == 200);
    CHECK(begin(second).status == 200);
    CHECK(begin(second).status == 200);
    CHECK(begin(second).status == 503);
    TcpClient third(server.port());
    CHECK(receive_answer(third).status == 503);
}

TEST_CASE("a full house of sessions still serves its page and says that it lives") {
    Server::Options options;
    options.server.max_connections = 32;
    options.server.max_connections_per_address.reset();
    QuickServer server(std::move(options));
    std::vector<TcpClient> sockets;
    const auto dial = [&] {
        sockets.emplace_back(server.port());
        sockets.back().send(get(socket_url, upgrade));
        return receive_answer(sockets.back(), false).status;
    };
    for (int i = 0; i < 30; ++i) CHECK(dial() == 101);
    CHECK(dial() == 503);
    sockets.pop_back();
    TcpClient visitor(server.port());
    for (const std::string path : {"/", "/health", "/"}) {
        visitor.send(get(path));
        CHECK(receive_answer(visitor).status == 200);
    }
    visitor.send(get(handshake));
    CHECK(receive_answer(visitor).status == 503);
}

TEST_CASE("who asks for a name that is not the server's is refused, told and counted") {
    Lines lines;
    Server::Options options;
    options.http.engine.names = std::vector<std::string>{"chat.example", "other.example:8443"};
    options.server.log = [&lines](const std::string& line) { lines(line); };
    QuickServer server(std::move(options));
    const auto status = [&](const std::string& host, const std::string& target,
                            const std::string& fields = "") {
        return fetch(server.port(), ask(host, target, fields)).status;
    };
    for (const std::string ours : {"localhost", "LOCALHOST:1", "a.localhost", "127.0.0.1",
                                   "127.9.9.9:80", "[::1]:3000", "192.0.2.1", "chat", "chat:3000",
                                   "chat.example", "Chat.Example:3000", "other.example:8443"}) {
        CAPTURE(ours);
        CHECK(status(ours, "/") == 200);
        CHECK(status(ours, handshake) == 200);
    }
    for (const std::string other :
         {"evil.example", "evil.example:3000", "localhost.evil.example", "other.example",
          "other.example:84430", "chat.example.", "chat.example.evil.example",
          "127.0.0.1.evil.example", "127.1", "[evil.example]", "::1"}) {
        CAPTURE(other);
        CHECK(status(other, "/") == 403);
        CHECK(status(other, handshake) == 403);
        CHECK(status(other, handshake, "Origin: http://" + other + "\r\n") == 403);
        CHECK(status(other, socket_url, upgrade) == 400);
        CHECK(status(other, "/health") == 200);
    }
    CHECK(contains(lines.all(),
                   "refused the Host \"evil.example\" (Origin \"http://evil.example\")"));
    CHECK(contains(lines.all(), "names in [server]"));
}

TEST_CASE(
    "an origin is the server's own by the name it was asked for by, or by one it is called by") {
    Lines lines;
    Server::Options options = trusting();
    options.http.engine.names = std::vector<std::string>{"chat.example"};
    options.server.log = [&lines](const std::string& line) { lines(line); };
    QuickServer server(std::move(options));
    const auto status = [&](const std::string& host, const std::string& origin,
                            const std::string& fields = "") {
        return fetch(server.port(), ask(host, handshake, "Origin: " + origin + "\r\n" + fields))
            .status;
    };
    CHECK(status("chat.example", "https://chat.example") == 200);
    CHECK(status("chat.example:3000", "http://chat.example:3000") == 200);
    // A proxy that asks in words of its own: by our name, or by what it says it was asked for.
    CHECK(status("127.0.0.1:3000", "https://chat.example") == 200);
    CHECK(status("127.0.0.1:3000", "https://localhost:8080") == 403);
    CHECK(status("127.0.0.1:3000", "https://localhost:8080",
                 "X-Forwarded-Host: localhost:8080\r\n") == 200);
    CHECK(status("127.0.0.1:3000", "https://evil.example", "X-Forwarded-Host: evil.example\r\n") ==
          403);
    CHECK(status("evil.example", "https://evil.example", "X-Forwarded-Host: chat.example\r\n") ==
          403);
    // Where the page is https, http is somebody else.
    const std::string tls = "X-Forwarded-Proto: https\r\n";
    CHECK(status("chat.example", "https://chat.example", tls) == 200);
    CHECK(status("chat.example", "http://chat.example", tls) == 403);
    CHECK(status("chat.example", "http://chat.example",
                 "Forwarded: for=192.0.2.1;proto=https\r\n") == 403);
    CHECK(status("chat.example", "https://chat.example", "X-Forwarded-Proto: http\r\n") == 403);
    CHECK(contains(lines.all(),
                   "refused the Origin \"http://chat.example\" (Host \"chat.example\")"));
    CHECK(contains(lines.all(), "origins in [server]"));
}

TEST_CASE("everything is served below a prefix, too, whether a proxy takes it off or not") {
    Server::Options options = trusting();
    options.http.prefix = "/chat";
    QuickServer server(std::move(options), say_who);
    const auto status = [&](const std::string& target, const std::string& fields = "") {
        return fetch(server.port(), get(target, fields)).status;
    };
    for (const std::string path :
         {"/", "/embed.js", "/sw.js", "/socket.io/socket.io.js", "/health"}) {
        CHECK(status(path) == 200);
        CHECK(status("/chat" + path) == 200);
        CHECK(status("/apps/chat" + path, "X-Forwarded-Prefix: /apps/chat\r\n") == 200);
    }
    CHECK(status("/chat" + handshake) == 200);
    CHECK(fetch(server.port(), get("/chat" + socket_url, upgrade), false).status == 101);
    const Answer above = fetch(server.port(), get("/chat?room=x"));
    CHECK(above.status == 307);
    CHECK(contains(above.head, "Location: /chat/?room=x\r\n"));
    CHECK(contains(fetch(server.port(), get("/chatter/")).body, "/chatter/"));
}

TEST_CASE("the product trusts nobody unless it is told to, and counts loopback") {
    TemporaryDirectory directory;
    const std::string file = directory.path("oncewire.toml");
    const auto write = [&](const std::string& more) {
        std::ofstream(file)
            << "[server]\nport = 0\ndatabase = \":memory:\"\nconnections_per_address = 4\n"
            << more;
    };
    const auto crowd = [&](const std::vector<std::string>& flags, bool is_forwarded) {
        ServerProcess server({.flags = flags});
        unsigned served = 0;
        std::vector<TcpClient> sockets;
        for (int i = 0; i < 6; ++i) {
            sockets.emplace_back(server.port());
            const std::string address = forwarded("192.0.2." + std::to_string(i));
            sockets.back().send(get(socket_url, upgrade + (is_forwarded ? address : "")));
            served += receive_answer(sockets.back(), false).status == 101 ? 1 : 0;
        }
        return served;
    };
    write("");
    CHECK(crowd({"--config", file}, false) == 4);
    CHECK(crowd({"--config", file}, true) == 4);
    CHECK(crowd({"--config", file, "--trusted-proxy", "127.0.0.0/8"}, true) == 6);
    CHECK(crowd({"--config", file, "--limits", "off"}, false) == 6);
    write("trusted_proxies = [\"127.0.0.1\"]\n");
    CHECK(crowd({"--config", file}, true) == 6);
    write("limits = \"off\"\n");
    CHECK(crowd({"--config", file}, false) == 6);
    CHECK(crowd({"--config", file, "--limits", "on"}, false) == 4);
}

TEST_CASE("a server without limits says so, even where nothing is logged") {
    for (const std::string level : {"off", "error", "warn", "info"}) {
        ServerProcess server({.flags = {"--port", "0", "--db", ":memory:", "--limits", "off",
                                        "--log-level", level}});
        CHECK(fetch(server.port(), get("/health")).body == "ok\n");
        server.signal(SIGTERM);
        server.wait();
        CHECK(contains(server.errors(), "limits are off"));
    }
}

TEST_CASE("who opens a session and says nothing does not keep its place") {
    ServerProcess server;
    TcpClient client(server.port());
    client.send(get(socket_url, upgrade));
    REQUIRE(receive_answer(client, false).status == 101);
    client.receive_all();
    CHECK(client.is_closed());
}

}  // namespace proxy_test
