// What one core's clients say to those of another that has enough to do.
#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <optional>
#include <string>

#include "tests/integration/quick_server.hpp"
#include "tests/integration/tcp_client.hpp"

namespace crowded_core_test {

using namespace integration;
using namespace oncewire;

namespace {

/// A client whose session is on this core; the kernel chooses, so several are tried.
std::unique_ptr<WebSocketClient> client_on(std::uint16_t core, std::uint16_t port) {
    for (int tries = 0; tries < 200; ++tries) {
        auto client = std::make_unique<WebSocketClient>(port);
        const std::string opened = client->receive_text().value_or("");
        const std::string mark = R"("sid":")";
        const std::size_t sid = opened.find(mark) + mark.size();
        if (hub::Hub::owner_of(opened.substr(sid, opened.find('"', sid) - sid)) != core) continue;
        client->send_text("40");
        client->receive_text();
        return client;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("a core in a handler that does not end stops nobody on another") {
    std::promise<void> blocked;
    std::promise<void> go_on;
    core::Server::Options options;
    options.server.cores = 2;
    QuickServer server(std::move(options), [&](api::Application& io) {
        io.on("block", [&] {
            blocked.set_value();
            go_on.get_future().wait();
        });
        io.on("flood",
              [](api::Socket socket, std::string text) { socket.broadcast().emit("flood", text); });
        io.on("ask", [](api::Ack ack) { ack("here"); });
        io.on_durable("keep", [](api::Tx& tx, const api::Message& message) {
            const auto stored = tx.publish("kept", "kept", api::argument<std::string>(message, 0));
            using Answer = Result<api::Verdict, api::StoreError>;
            return stored ? Answer(api::accept()) : Answer(Err{stored.error()});
        });
    });
    const auto busy = client_on(1, server.port());
    const auto noisy = client_on(0, server.port());
    REQUIRE((busy && noisy));
    busy->send_text(R"(42["block"])");
    blocked.get_future().wait();

    // What is for whoever is there: six times what a box holds, and what sockets hold on the way.
    const std::string one =
        WebSocketClient::frame(0x81, R"(42["flood",")" + std::string(500'000, 'x') + "\"]");
    for (std::size_t sent = 0; sent < 6 * core::Core::inbox_bytes; sent += one.size()) {
        REQUIRE(noisy->tcp().send(one));
    }
    noisy->send_text(R"(427["ask"])");
    CHECK(noisy->receive_text() == R"(437["here"])");
    // What is stored, and every core is told of: twice what a box holds.
    const std::string kept = R"(428["keep",")" + std::string(60'000, 'x') + "\"]";
    for (std::size_t sent = 0; sent < 2 * core::Core::inbox_bytes; sent += kept.size()) {
        REQUIRE(noisy->send_text(kept));
        REQUIRE(noisy->receive_text() == "438[null,null]");
    }

    go_on.set_value();
    busy->send_text(R"(429["ask"])");
    std::optional<std::string> text;
    do text = busy->receive_text();
    while (text && !text->starts_with("43"));
    CHECK(text == R"(439["here"])");
}

}  // namespace crowded_core_test
