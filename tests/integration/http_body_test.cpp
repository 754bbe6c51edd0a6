// Bodies of requests over real sockets: in chunks, asked for by 100, of any method; and peers of HTTP/1.0.
#include <catch2/catch.hpp>

#include <chrono>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/quick_server.hpp"
#include "tests/integration/server_process.hpp"
#include "tests/integration/tcp_client.hpp"

namespace http_body_test {

using namespace integration;
using oncewire::Millis;
using oncewire::api::Application;
using oncewire::api::HttpReply;
using oncewire::api::HttpRequest;

namespace {

/// Answers with method, length and body of what it is sent.
class EchoServer : public QuickServer {
  public:
    EchoServer()
        : QuickServer({}, [](Application& io) {
              io.on_http([](const HttpRequest& request, HttpReply reply) {
                  reply(200, request.method + ' ' + std::to_string(request.body.size()) + ' ' +
                                 request.body.substr(0, 20));
              });
          }) {}
};

std::string head(const std::string& method, const std::string& fields,
                 const std::string& version = "1.1") {
    return method + " /echo HTTP/" + version + "\r\nHost: localhost\r\n" + fields + "\r\n";
}

const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string polling = "/socket.io/?EIO=4&transport=polling";

/// Of a new session that polls.
std::string session_of(std::uint16_t port) {
    const Answer open = fetch(port, get(polling));
    return "&sid=" + open.body.substr(9, open.body.find('\"', 9) - 9);
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every method may have a body, in chunks or with a length") {
    EchoServer server;
    TcpClient client(server.port());
    for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"}) {
        CAPTURE(method);
        client.send(head(method, "Content-Length: 5\r\n") + "hello");
        CHECK(receive_answer(client).body == method + " 5 hello");
        client.send(head(method, chunked) + "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nx: y\r\n\r\n");
        CHECK(receive_answer(client).body == method + " 5 hello");
        client.send(head(method, ""));
        CHECK(receive_answer(client).body == method + " 0 ");
    }
}

TEST_CASE("requests in chunks on one connection are told apart, wherever they are cut") {
    EchoServer server;
    TcpClient client(server.port());
    const std::string request = head("POST", chunked) + "5\r\nhello\r\n0\r\n\r\n";
    client.send(request + request + head("GET", ""));
    CHECK(receive_answer(client).body == "POST 5 hello");
    CHECK(receive_answer(client).body == "POST 5 hello");
    CHECK(receive_answer(client).body == "GET 0 ");
    for (const char byte : request) client.send(std::string(1, byte));
    CHECK(receive_answer(client).body == "POST 5 hello");
}

TEST_CASE("who expects 100 gets it before the body, and only then") {
    EchoServer server;
    const std::string expect = "Expect: 100-continue\r\n";
    TcpClient client(server.port());
    client.send(head("PUT", expect + "Content-Length: 5\r\n"));
    CHECK(client.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    CHECK(receive_answer(client).body == "PUT 5 hello");
    client.send(head("PUT", expect + chunked));
    CHECK(client.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("5\r\nhello\r\n0\r\n\r\n");
    CHECK(receive_answer(client).body == "PUT 5 hello");
    client.send(head("PUT", expect + "Content-Length: 5\r\n") + "hello");  // did not wait
    CHECK(receive_answer(client).body == "PUT 5 hello");
    client.send(head("PUT", expect));
    CHECK(receive_answer(client).body == "PUT 0 ");
    // What is refused is not asked for.
    client.send(
        "PUT /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" +
        expect + "\r\n");
    const Answer refused = receive_answer(client);
    CHECK(refused.status == 400);
    CHECK(contains(refused.head, "Connection: close"));
    client.receive_all();
    CHECK(client.is_closed());
}

TEST_CASE("bodies in chunks have the bounds of others") {
    oncewire::core::Server::Options options;
    options.server.max_http_buffer_size = 1000;
    options.server.body_timeout = Millis(2000);
    QuickServer server(std::move(options));
    const auto status = [&](const std::string& fields, const std::string& body) {
        TcpClient client(server.port());
        client.send("POST " + polling + session_of(server.port()) + " HTTP/1.1\r\nHost: a\r\n" +
                    fields + "\r\n" + body);
        return receive_answer(client).status;
    };
    const std::string pongs = "3" + std::string(999, 'x');
    CHECK(status(chunked, "3e8\r\n" + pongs + "\r\n0\r\n\r\n") == 200);
    CHECK(status(chunked, "3e9\r\n") == 413);
    CHECK(status(chunked, "3e8\r\n" + pongs + "\r\n1\r\n") == 413);
    CHECK(status(chunked, "x\r\n") == 400);
    CHECK(status(chunked, "1;" + std::string(9000, 'x')) == 431);
    CHECK(status(chunked, "1\r\n3") == 408);
}

TEST_CASE("a body in chunks that is refused, broken off or too slow ends its session") {
    oncewire::core::Server::Options options;
    options.server.body_timeout = Millis(2000);
    QuickServer server(std::move(options));
    for (const std::string body : {"x\r\n", "1\r\n3"}) {
        CAPTURE(body);
        const std::string sid = session_of(server.port());
        TcpClient client(server.port());
        client.send("POST " + polling + sid + " HTTP/1.1\r\nHost: a\r\n" + chunked + "\r\n" + body);
        CHECK(receive_answer(client).status >= 400);
        CHECK(fetch(server.port(), get(polling + sid)).status == 400);
    }
}

TEST_CASE("a session by polling takes bodies in chunks") {
    QuickServer server({});
    const std::string sid = session_of(server.port());
    TcpClient client(server.port());
    client.send("POST " + polling + sid + " HTTP/1.1\r\nHost: a\r\n" + chunked +
                "\r\n1\r\n4\r\n1\r\n0\r\n0\r\n\r\n");
    CHECK(receive_answer(client).body == "ok");
    client.send(get(polling + sid));
    CHECK(receive_answer(client).body.starts_with("40{"));
}

TEST_CASE("HTTP/1.0 is answered, without keep-alive, chunks, 100 and upgrades") {
    EchoServer server;
    const std::string keep = "Connection: keep-alive\r\n";
    for (const std::string& request :
         {head("GET", keep, "1.0"), head("POST", "Content-Length: 5\r\n", "1.0") + "hello",
          head("PUT", "Expect: 100-continue\r\nContent-Length: 5\r\n", "1.0") + "hello",
          std::string("GET /echo HTTP/1.0\r\n\r\n")}) {
        CAPTURE(request);
        TcpClient client(server.port());
        client.send(request);
        const Answer answer = receive_answer(client);
        CHECK(answer.status == 200);
        CHECK(contains(answer.head, "Connection: close\r\n"));
        CHECK_FALSE(contains(answer.head, "Transfer-Encoding"));
        CHECK(client.receive_all().empty());
        CHECK(client.is_closed());
    }
    // What a proxy of HTTP/1.0 passes on without meaning it.
    const std::string upgrade =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    CHECK(fetch(server.port(), "GET /socket.io/?EIO=4&transport=websocket HTTP/1.0\r\nHost: a\r\n" +
                                   upgrade + "\r\n")
              .body == R"({"code":3,"message":"Bad request"})");
}

TEST_CASE("a session by polling lives on connections of HTTP/1.0") {
    QuickServer server({});
    const auto request = [&](const std::string& method, const std::string& query,
                             const std::string& body) {
        return fetch(server.port(), method + ' ' + polling + query +
                                        " HTTP/1.0\r\nHost: a\r\nConnection: close\r\n" +
                                        "Content-Length: " + std::to_string(body.size()) +
                                        "\r\n\r\n" + body);
    };
    const Answer open = request("GET", "", "");
    CHECK(open.body.starts_with("0{"));
    const std::string sid = "&sid=" + open.body.substr(9, open.body.find('\"', 9) - 9);
    CHECK(request("POST", sid, "40").body == "ok");
    CHECK(request("GET", sid, "").body.starts_with("40{"));
}

TEST_CASE("a WebSocket does not begin with a body") {
    QuickServer server({});
    CHECK(fetch(server.port(), get("/socket.io/?EIO=4&transport=websocket",
                                   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Version: 13\r\nContent-Length: 5\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
              .status == 400);
}

TEST_CASE("what is refused is answered at once, and its body is not kept") {
    ServerProcess server;
    const std::string body(999'999, 'x');
    const std::string sid = session_of(server.port());
    const auto request = [](const std::string& line) {
        return line + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    };
    const std::vector<std::pair<std::string, unsigned>> refused = {
        {request("POST /nope"), 404},
        {request("PUT /"), 405},
        {request("POST /socket.io/?EIO=4&transport=polling&sid=nobody"), 400},
        {request("DELETE " + polling + sid), 405},
        {request("GET " + polling), 200},
    };
    const std::uint64_t before = server.resident_bytes();
    std::vector<TcpClient> clients;
    for (int round = 0; round < 40; ++round) {
        for (const auto& [bytes, status] : refused) {
            CAPTURE(bytes);
            clients.emplace_back(server.port());
            clients.back().send(bytes);
            const Answer answer = receive_answer(clients.back());
            CHECK(answer.status == status);
            CHECK(contains(answer.head, "Connection: close"));
            clients.back().send(body);  // is taken, so that the answer is not lost
        }
    }
    CHECK(fetch(server.port(), get("/")).status == 200);
    CHECK(server.resident_bytes() < before + (50u << 20));
    for (TcpClient& client : clients) {
        client.end_sending();
        CHECK(client.receive_all().empty());
        CHECK(client.is_closed());
    }
}

TEST_CASE("a refused body that came with its head does not end the connection") {
    ServerProcess server;
    TcpClient client(server.port());
    for (int i = 0; i < 3; ++i) {
        client.send("POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
        const Answer answer = receive_answer(client);
        CHECK(answer.status == 404);
        CHECK(contains(answer.head, "Connection: keep-alive"));
    }
}

TEST_CASE("one address can leave only so much unfinished, and others are served meanwhile") {
    oncewire::core::Server::Options options;
    options.unfinished = {.in_all = 4'000'000, .of_one_network = 2'500'000};
    options.server.body_timeout = patience;
    QuickServer server(std::move(options));
    const auto post = [&](std::size_t length) {
        return "POST " + polling + session_of(server.port()) +
               " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
    };
    std::list<TcpClient> greedy;
    for (int i = 0; i < 4; ++i) {
        greedy.emplace_back(server.port());
        greedy.back().send(post(1'000'000) + std::string(900'000, '3'));
    }
    // Who is told depends on whose bytes came first; two of four fit.
    const auto limit = std::chrono::steady_clock::now() + patience;
    while (greedy.size() > 2 && std::chrono::steady_clock::now() < limit) {
        std::erase_if(greedy, [](TcpClient& client) {
            return client.receive(Millis(20)) && receive_answer(client).status == 503;
        });
    }
    REQUIRE(greedy.size() == 2);
    TcpClient modest(server.port());
    modest.send(post(5'000) + std::string(5'000, '3'));
    CHECK(receive_answer(modest).body == "ok");
    for (TcpClient& client : greedy) {
        client.send(std::string(100'000, '3'));
        CHECK(receive_answer(client).body == "ok");
    }
    // What is answered is unfinished no more.
    TcpClient large(server.port());
    large.send(post(1'000'000) + std::string(1'000'000, '3'));
    CHECK(receive_answer(large).body == "ok");
}

}  // namespace http_body_test
