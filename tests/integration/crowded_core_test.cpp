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

TEST_CASE("broadcasts for a core that has enough to do wait in their senders' sockets") {
    std::promise<void> blocked;
    std::promise<void> go_on;
    core::Server::Options options;
    options.cores = 2;
    QuickServer server(std::move(options), [&](api::Application& io) {
        io.on("block", [&] {
            blocked.set_value();
            go_on.get_future().wait();
        });
        io.on("flood",
              [](api::Socket socket, std::string text) { socket.broadcast().emit("flood", text); });
        io.on("ask", [](api::Ack ack) { ack("here"); });
    });
    const auto busy = client_on(1, server.port());
    const auto noisy = client_on(0, server.port());
    REQUIRE((busy && noisy));
    busy->send_text(R"(42["block"])");
    blocked.get_future().wait();

    // Six times what a box holds, and what sockets hold on the way.
    const std::string one =
        WebSocketClient::frame(0x81, R"(42["flood",")" + std::string(500'000, 'x') + "\"]");
    std::string all;
    while (all.size() < 6 * core::Core::inbox_bytes) all += one;
    std::size_t sent = 0;
    // Nobody took anything for a second; a machine that stands still makes this pass, not fail.
    for (int idle = 0; idle < 10 && sent < all.size();) {
        const std::size_t taken = noisy->tcp().send_some(all.substr(sent, 1u << 20));
        sent += taken;
        idle = taken > 0 ? 0 : idle + 1;
        if (taken == 0) noisy->tcp().receive(Millis{100});
    }
    CHECK(sent < all.size());

    go_on.set_value();
    CHECK(noisy->tcp().send(all.substr(sent)));
    noisy->send_text(R"(427["ask"])");
    CHECK(noisy->receive_text() == R"(437["here"])");
    busy->send_text(R"(428["ask"])");
    std::optional<std::string> text;
    do text = busy->receive_text();
    while (text && !text->starts_with("43"));
    CHECK(text == R"(438["here"])");
}

}  // namespace crowded_core_test
