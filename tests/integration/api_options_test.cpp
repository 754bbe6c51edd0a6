// Options of the public Server: those that make no sense are told in a sentence, before anything listens; others
// do what they say.
#include <catch2/catch.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/api/server.hpp"
#include "tests/integration/tcp_client.hpp"

namespace api_options_test {

using namespace integration;
using oncewire::api::Cookie;
using oncewire::api::Server;

namespace {

std::string complaint(const std::function<void(Server::Options&)>& change) {
    Server::Options options;
    options.port = 0;
    change(options);
    Server server(std::move(options), [](oncewire::api::Application&) {});
    const auto port = server.listen();
    return port ? "" : port.error();
}

/// A server with these options, and one event: "long" says 5,000 bytes.
struct Serving {
    explicit Serving(const std::function<void(Server::Options&)>& change)
        : server(changed(change), [](oncewire::api::Application& io) {
              io.on("long", [](oncewire::api::Socket socket) {
                  socket.emit("long", std::string(5'000, 'x'));
              });
          }) {
        const auto bound = server.listen();
        REQUIRE(bound);
        port = *bound;
    }
    static Server::Options changed(const std::function<void(Server::Options&)>& change) {
        Server::Options options;
        options.port = 0;
        change(options);
        return options;
    }

    Server server;
    std::uint16_t port = 0;
};

const std::string polling = "/socket.io/?EIO=4&transport=polling";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// `size`: what its head says of the body.
std::string post(const std::string& target, const std::string& body, std::size_t size) {
    return "POST " + target +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           body;
}
std::string post(const std::string& target, const std::string& body) {
    return post(target, body, body.size());
}

/// A session that polls; the address of its requests.
std::string begin_session(std::uint16_t port) {
    const std::string body = fetch(port, get(polling)).body;
    const std::string mark = R"("sid":")";
    const std::size_t sid = body.find(mark) + mark.size();
    REQUIRE(sid > mark.size());
    return polling + "&sid=" + body.substr(sid, body.find('"', sid) - sid);
}

/// Whether somebody who begins a request like this hears 408 well before the usual time is over. A machine may
/// stand still for longer, but not every time.
bool is_refused_soon(std::uint16_t port, const std::function<std::string()>& begin) {
    constexpr Millis soon{3'000};
    for (int tries = 0; tries < 10; ++tries) {
        TcpClient client(port);
        client.send(begin());
        if (client.receive_until("HTTP/1.1 408", soon)) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("a server tells which of its options makes no sense") {
    using Options = Server::Options;
    CHECK(complaint([](Options&) {}).empty());
    CHECK(complaint([](Options& o) { o.cores = 0; }) == "cores must be at least 1");
    const std::string times = "ping_interval, ping_timeout and connect_timeout must be positive";
    CHECK(complaint([](Options& o) { o.ping_interval = Millis{0}; }) == times);
    CHECK(complaint([](Options& o) { o.ping_timeout = Millis{-1}; }) == times);
    CHECK(complaint([](Options& o) { o.connect_timeout = Millis{0}; }) == times);
    CHECK(complaint([](Options& o) { o.max_http_buffer_size = 0; }) ==
          "max_http_buffer_size must be 1 to 268435456");
    CHECK(complaint([](Options& o) { o.path = "/x"; }) == "path must begin and end with a slash");
    CHECK(complaint([](Options& o) { o.polling = o.websocket = false; }) ==
          "no transport is enabled");
    CHECK(complaint([](Options& o) { o.cookie = Cookie{.name = "a b"}; }) ==
          "cookie has characters it may not");
}

TEST_CASE("allow_upgrades: who polls is told to move, or is not") {
    const Serving usual([](Server::Options&) {});
    CHECK(contains(fetch(usual.port, get(polling)).body, R"("upgrades":["websocket"])"));
    const Serving staying([](Server::Options& o) { o.allow_upgrades = false; });
    CHECK(contains(fetch(staying.port, get(polling)).body, R"("upgrades":[])"));
}

TEST_CASE("cookie: what it says of itself goes into the answer to a handshake") {
    const auto set_by = [](Cookie cookie) {
        const Serving serving([&](Server::Options& o) { o.cookie = std::move(cookie); });
        return fetch(serving.port, get(polling)).head;
    };
    CHECK(contains(set_by({}), "; Path=/; HttpOnly; SameSite=Lax\r\n"));
    CHECK(
        contains(set_by({.domain = "a.example", .http_only = false, .same_site = "", .max_age = 5}),
                 "; Path=/; Domain=a.example; Max-Age=5\r\n"));
    CHECK(contains(set_by({.path = "", .secure = true, .same_site = "None", .partitioned = true}),
                   "; HttpOnly; Secure; Partitioned; SameSite=None\r\n"));
}

TEST_CASE("http_compression: answers to polls are compressed from so many bytes on, or never") {
    const auto is_compressed = [](const Serving& serving) {
        const std::string session = begin_session(serving.port);
        CHECK(fetch(serving.port, post(session, "40")).status == 200);
        CHECK(contains(fetch(serving.port, get(session)).body, "40{"));
        CHECK(fetch(serving.port, post(session, R"(42["long"])")).status == 200);
        const Answer answer = fetch(serving.port, get(session, "Accept-Encoding: gzip\r\n"));
        CHECK(answer.status == 200);
        const bool is_gzip = contains(answer.head, "Content-Encoding: gzip");
        CHECK((answer.body.size() < 5'000) == is_gzip);
        return is_gzip;
    };
    CHECK(is_compressed(Serving([](Server::Options&) {})));
    CHECK(is_compressed(Serving([](Server::Options& o) { o.http_compression = 5'000; })));
    CHECK_FALSE(is_compressed(Serving([](Server::Options& o) { o.http_compression = 50'000; })));
    CHECK_FALSE(is_compressed(Serving([](Server::Options& o) { o.http_compression = {}; })));
}

TEST_CASE("header_timeout: for a request's head") {
    const Serving serving([](Server::Options& o) { o.header_timeout = Millis{100}; });
    CHECK(is_refused_soon(serving.port, [] { return std::string("GET / HTTP/1.1\r\n"); }));
}

TEST_CASE("body_timeout: for the body of a POST") {
    const Serving serving([](Server::Options& o) { o.body_timeout = Millis{500}; });
    CHECK(is_refused_soon(serving.port, [&] {
        return post(begin_session(serving.port), "40", 3);  // one byte is missing
    }));
}

TEST_CASE("a server takes its flags off the command line and leaves the application's own") {
    Server::Options options;
    options.origins = {"https://a.example"};
    Server server(std::move(options), [](oncewire::api::Application&) {});
    std::string room;
    int people = 0;
    bool is_quiet = false;
    server.flag("--room NAME", "where to begin", [&](std::string name) { room = name; })
        .flag("--people COUNT", "how many", [&](int count) { return (people = count) > 0; })
        .flag("--quiet", "say little", [&] { is_quiet = true; });
    const auto take = [&](std::vector<std::string> words) {
        std::vector<char*> argv = {words.front().data()};
        for (std::size_t i = 1; i < words.size(); ++i) argv.push_back(words[i].data());
        argv.push_back(nullptr);
        int argc = static_cast<int>(words.size());
        const auto status = server.take_flags(argc, argv.data());
        std::vector<std::string> left;
        for (int i = 1; i < argc; ++i) left.push_back(argv[static_cast<std::size_t>(i)]);
        return std::pair(status, left);
    };
    using Left = std::vector<std::string>;
    CHECK(take({"mine", "--mine", "x", "--port", "0", "--room", "tea", "y", "--db=a.db", "--origin",
                "https://b.example", "z", "--quiet", "--people", "3"}) ==
          std::pair(std::optional<int>(), Left{"--mine", "x", "y", "z"}));
    CHECK(server.options().port == 0);
    CHECK(server.options().database == "a.db");
    CHECK(server.options().origins == Left{"https://a.example", "https://b.example"});
    CHECK(room == "tea");
    CHECK(people == 3);
    CHECK(is_quiet);
    for (const char* wrong :
         {"--people=x", "--people=0", "--people=99999999999", "--port=-1", "--cores=0"}) {
        CHECK(take({"mine", wrong}).first == 1);
    }
}

}  // namespace api_options_test
