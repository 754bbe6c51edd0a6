// An option of the public Server that makes no sense is told in a sentence, before anything listens.
#include <catch2/catch.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/api/server.hpp"

namespace api_options_test {

using oncewire::Millis;
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
