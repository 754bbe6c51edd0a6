// An option of the public Server that makes no sense is told in a sentence, before anything listens.
#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <utility>

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

}  // namespace api_options_test
