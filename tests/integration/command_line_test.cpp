// What an operator sees: flags, errors, signals.
#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "tests/integration/server_process.hpp"
#include "tests/integration/tcp_client.hpp"

namespace command_line_test {

using namespace integration;

namespace {

/// Starts it with these flags, expects it to end by itself with an error, and returns what it said.
std::string complaint(const std::vector<std::string>& flags) {
    ServerProcess server({.flags = flags});
    const auto status = server.wait();
    CHECK(status.value_or(0) != 0);
    CHECK(server.output().empty());
    const std::string said = server.errors();
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
    return said;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the only line on standard output says where it listens") {
    ServerProcess server;
    WebSocketClient client(server.port());
    CHECK(client.join());
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
    CHECK(server.output() ==
          "listening on http://127.0.0.1:" + std::to_string(server.port()) + "\n");
}

TEST_CASE("--help and --version print and end well") {
    for (const std::string flag : {"--help", "--version"}) {
        ServerProcess server({.flags = {flag}});
        CHECK(server.wait() == 0);
        CHECK_FALSE(server.output().empty());
        CHECK(server.errors().empty());
    }
}

TEST_CASE("a bad flag is named in one sentence") {
    CHECK(contains(complaint({"--frobnicate"}), "--frobnicate"));
    CHECK(contains(complaint({"--port"}), "--port"));
    CHECK(contains(complaint({"--port", "65536"}), "65536"));
    CHECK(contains(complaint({"--port", "-1"}), "-1"));
    CHECK(contains(complaint({"--port", "x"}), "--port"));
    CHECK(contains(complaint({"--cores", "0"}), "--cores"));
    CHECK(contains(complaint({"--log-level", "loud"}), "--log-level"));
    CHECK(contains(complaint({"stray"}), "stray"));
}

TEST_CASE("a busy port is an error, whoever has it and however many cores ask") {
    for (const std::string holder : {"1", "2"}) {
        ServerProcess first({.flags = {"--port", "0", "--db", ":memory:", "--cores", holder}});
        REQUIRE(first.port() != 0);
        for (const std::string cores : {"1", "2"}) {
            CAPTURE(holder, cores);
            const std::string port = std::to_string(first.port());
            const auto said = complaint({"--port", port, "--db", ":memory:", "--cores", cores});
            CHECK(contains(said, "cannot listen on 127.0.0.1:" + port));
        }
    }
}

TEST_CASE("an address that is not ours is an error") {
    CHECK(contains(complaint({"--host", "192.0.2.1", "--port", "0", "--db", ":memory:"}),
                   "192.0.2.1"));
}

TEST_CASE("a database that cannot be used is an error that names it") {
    TemporaryDirectory directory;
    const std::string missing = directory.path("no/such/chat.db");
    CHECK(contains(complaint({"--port", "0", "--db", missing}), missing));
    CHECK(contains(complaint({"--port", "0", "--db", directory.path("")}), directory.path("")));
    const std::string garbage = directory.path("garbage.db");
    std::ofstream(garbage) << std::string(8192, 'x');
    CHECK(contains(complaint({"--port", "0", "--db", garbage}), garbage));
}

TEST_CASE("a second server on one database is told so") {
    TemporaryDirectory directory;
    const std::string database = directory.path("chat.db");
    ServerProcess first({.flags = {"--port", "0", "--db", database}});
    REQUIRE(first.port() != 0);
    CHECK(contains(complaint({"--port", "0", "--db", database}), database));
}

TEST_CASE("both stop signals drain: clients are told, the exit status is 0") {
    for (const int signal : {SIGTERM, SIGINT}) {
        ServerProcess server;
        WebSocketClient client(server.port());
        REQUIRE(client.join());
        server.signal(signal);
        CHECK(client.receive_close() == 1005);
        CHECK(server.wait() == 0);
    }
}

TEST_CASE("a client that does not answer the goodbye cannot hold the server up") {
    ServerProcess server;
    WebSocketClient client(server.port());
    REQUIRE(client.join());
    TcpClient silent(server.port());
    server.signal(SIGTERM);
    CHECK(server.wait() == 0);
}

TEST_CASE("what was acknowledged before SIGTERM is there after the next start") {
    TemporaryDirectory directory;
    const std::vector<std::string> flags = {"--port", "0", "--db", directory.path("chat.db")};
    {
        ServerProcess server({.flags = flags});
        WebSocketClient client(server.port());
        REQUIRE(client.join());
        client.send_text(R"(421["chat message","kept"])");
        std::optional<std::string> text;
        while ((text = client.receive_text()) && !text->starts_with("431")) {
        }
        CHECK(text == R"(431[null,{"id":1}])");
        server.signal(SIGTERM);
        CHECK(server.wait() == 0);
    }
    ServerProcess server({.flags = flags});
    WebSocketClient client(server.port());
    REQUIRE(client.join());
    CHECK(contains(client.receive_text().value_or(""), R"(42["chat message","kept",1,)"));
}

}  // namespace command_line_test
