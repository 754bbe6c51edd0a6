// HTTP over real sockets: the gate, deadlines, static files, refusals.
#include <catch2/catch.hpp>

#include <chrono>

#include "tests/integration/quick_server.hpp"
#include "tests/integration/server_process.hpp"
#include "tests/integration/tcp_client.hpp"
#include "tests/support/http_gate_cases.hpp"

namespace http_test {

using namespace integration;
using oncewire::Millis;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the 31 requests over a socket: refused with the right status and closed, none harms") {
    ServerProcess server;
    WebSocketClient bystander(server.port());
    REQUIRE(bystander.join());
    for (const gate::Case& each : gate::cases()) {
        CAPTURE(each.name);
        TcpClient client(server.port());
        client.send(each.bytes);
        const Answer answer = receive_answer(client);
        CHECK(answer.status == (each.status == 0 ? each.answer : each.status));
        if (each.status == 0) continue;
        CHECK(contains(answer.head, "Connection: close"));
        client.receive_all();
        CHECK(client.is_closed());
    }
    CHECK(bystander.is_served());
}

TEST_CASE("the trailer that kills a plain Beast server is never shown to Beast") {
    ServerProcess server;
    std::string trailers;
    for (int i = 0; i < 8000; ++i) trailers += "a" + std::to_string(i) + ":b\r\n";
    REQUIRE(trailers.size() > 66'000);
    const std::string body = "0\r\n" + trailers + "\r\n";
    const std::string chunked = " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    TcpClient unwanted(server.port());
    unwanted.send("POST /" + chunked + body);
    CHECK(receive_answer(unwanted).status == 405);
    const std::string polling = "/socket.io/?EIO=4&transport=polling";
    const Answer open = fetch(server.port(), get(polling));
    TcpClient client(server.port());
    client.send("POST " + polling + "&sid=" + open.body.substr(9, open.body.find('\"', 9) - 9) +
                chunked + body);
    CHECK(receive_answer(client).status == 431);
    CHECK(server.is_running());
    CHECK(fetch(server.port(), get("/")).status == 200);
}

TEST_CASE("requests on one connection are answered in order, also when they come together") {
    ServerProcess server;
    TcpClient client(server.port());
    client.send(
        "POST /socket.io/?EIO=4&transport=nonsense HTTP/1.1\r\nHost: a\r\n"
        "Content-Length: 5\r\n\r\nhello" +
        get("/") + get("/nope") + "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(receive_answer(client).body == R"({"code":0,"message":"Transport unknown"})");
    CHECK(receive_answer(client).status == 200);
    CHECK(receive_answer(client).status == 404);
    const Answer head = receive_answer(client, false);
    CHECK(head.status == 200);
    CHECK_FALSE(contains(head.head, "Content-Length: 0\r\n"));
    CHECK(client.receive_all().empty());
    CHECK(client.is_closed());
}

TEST_CASE("dribbled heads and bodies end at an absolute deadline") {
    oncewire::core::Server::Options options;
    options.server.header_timeout = Millis(2000);
    options.server.body_timeout = Millis(2000);
    QuickServer server(std::move(options));
    TcpClient silent(server.port()), head(server.port()), body(server.port());
    head.send("GET / HT");
    const std::string polling = "/socket.io/?EIO=4&transport=polling";
    const std::string open = fetch(server.port(), get(polling)).body;
    body.send("POST " + polling + "&sid=" + open.substr(9, open.find('\"', 9) - 9) +
              " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    const auto limit = std::chrono::steady_clock::now() + patience;
    for (TcpClient* client : {&head, &body}) {
        while (!client->receive(Millis(20)) && !client->is_closed()) {
            for (TcpClient* each : {&head, &body}) each->send("T");
            REQUIRE(std::chrono::steady_clock::now() < limit);
        }
    }
    CHECK(receive_answer(head).status == 408);
    CHECK(receive_answer(body).status == 408);
    CHECK(silent.receive_all().empty());
    CHECK(silent.is_closed());
    CHECK(fetch(server.port(), get("/socket.io/")).status == 400);
}

TEST_CASE("the page is served with its policy, compressed on request, once") {
    ServerProcess server;
    const Answer page = fetch(server.port(), get("/"));
    REQUIRE(page.status == 200);
    CHECK(contains(page.head, "Content-Type: text/html; charset=utf-8\r\n"));
    CHECK(contains(page.head, "Content-Security-Policy: default-src 'none';"));
    CHECK(contains(page.head, "X-Content-Type-Options: nosniff\r\n"));
    const Answer packed = fetch(server.port(), get("/", "Accept-Encoding: gzip, br\r\n"));
    CHECK(contains(packed.head, "Content-Encoding: br\r\n"));
    CHECK(packed.body.size() < page.body.size());
    const std::size_t tag_at = packed.head.find("ETag: ") + 6;
    const std::string tag = packed.head.substr(tag_at, packed.head.find('\r', tag_at) - tag_at);
    const Answer again = fetch(
        server.port(), get("/", "Accept-Encoding: br\r\nIf-None-Match: " + tag + "\r\n"), false);
    CHECK(again.status == 304);
}

TEST_CASE("the browser client is served where Socket.IO serves its own") {
    ServerProcess server;
    const Answer script = fetch(server.port(), get("/socket.io/socket.io.js"));
    CHECK(script.status == 200);
    CHECK(contains(script.head, "Content-Type: text/javascript; charset=utf-8\r\n"));
    CHECK(fetch(server.port(), get("/socket.io/socket.io.esm.min.js")).status == 200);
    CHECK(fetch(server.port(), get("/socket.io/other.js")).status == 400);
}

TEST_CASE("no path leads out of the table of files") {
    ServerProcess server;
    for (const char* target :
         {"/../../etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/socket.io/../style.css",
          "/.git/config", "/web/index.html", "/%00"}) {
        CAPTURE(target);
        const unsigned status = fetch(server.port(), get(target)).status;
        CHECK((status == 404 || status == 400));
    }
}

TEST_CASE("refused upgrades get the bare message and the end of the connection") {
    ServerProcess server;
    const std::string fields =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    struct Refused {
        std::string request;
        unsigned status;
        std::string body;
    };
    const std::string good = "/socket.io/?EIO=4&transport=websocket";
    for (const Refused& each : std::vector<Refused>{
             {get("/socket.io/?EIO=4&transport=__proto__", fields), 400, "Transport unknown"},
             {get("/socket.io/?EIO=3&transport=websocket", fields), 400,
              "Unsupported protocol version"},
             {get(good + "&sid=nobody", fields), 400, "Session ID unknown"},
             {get(good, fields + "Origin: http://evil.example\r\n"), 400,
              "Forbidden: this site is not on the server's list of origins"},
             {get(good, "Upgrade: h2c\r\nConnection: Upgrade\r\n"), 400, "Invalid Upgrade header"},
             {get("/elsewhere", fields), 404, "not found\n"},
         }) {
        CAPTURE(each.request);
        TcpClient client(server.port());
        client.send(each.request);
        const Answer answer = receive_answer(client);
        CHECK(answer.status == each.status);
        CHECK(answer.body == each.body);
        client.receive_all();
        CHECK(client.is_closed());
    }
}

TEST_CASE("--origin lets pages of another site connect") {
    ServerProcess server(
        {.flags = {"--port", "0", "--db", ":memory:", "--origin", "https://site.example"}});
    const auto status = [&](const std::string& origin) {
        return fetch(
                   server.port(),
                   get("/socket.io/?EIO=4&transport=websocket",
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: " +
                           origin + "\r\n"))
            .status;
    };
    CHECK(status("https://site.example") == 101);
    CHECK(status("http://localhost") == 101);
    CHECK(status("https://site.example.evil") == 400);
    CHECK(status("null") == 400);
}

TEST_CASE("out of descriptors the server rests, and serves again when there are some") {
    ServerProcess server({.flags = {"--port", "0", "--db", ":memory:"}, .descriptors_max = 40});
    WebSocketClient bystander(server.port());
    REQUIRE(bystander.join());
    {
        std::vector<TcpClient> crowd;
        for (int i = 0; i < 60; ++i) crowd.emplace_back(server.port());
        for (int rests = 0; rests < 10; ++rests) {
            CHECK(bystander.is_served());
            REQUIRE(server.falls_asleep());
        }
    }
    CHECK(fetch(server.port(), get("/")).status == 200);
    CHECK(bystander.is_served());
}

}  // namespace http_test
