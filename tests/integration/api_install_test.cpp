// The applications that a server has handlers installed into.
#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "tests/integration/quick_server.hpp"
#include "tests/integration/tcp_client.hpp"

namespace api_install_test {

using namespace integration;
using namespace oncewire;

TEST_CASE("every application that handlers are installed into lives as long as the server") {
    std::vector<std::weak_ptr<int>> lives;
    const auto alive = [&] {
        return std::count_if(lives.begin(), lives.end(),
                             [](const auto& life) { return !life.expired(); });
    };
    std::optional<QuickServer> server;
    server.emplace(core::Server::Options(), [&](api::Application& io) {
        const auto life = std::make_shared<int>();
        lives.push_back(life);
        io.on_connection([life](api::Socket) {});
        io.on_durable("say", [&io](api::Tx&, const api::Message&) {
            io.emit("said");  // nobody is connected to the one that the sequencer runs
            return Result<api::Verdict, api::StoreError>(api::accept("1"));
        });
    });
    REQUIRE(lives.size() == 2);
    CHECK(alive() == 2);

    WebSocketClient client(server->port());
    REQUIRE(client.join());
    REQUIRE(client.send_text(R"(421["say"])"));
    CHECK(client.receive_text() == "431[null,1]");
    server.reset();
    CHECK(alive() == 0);
}

}  // namespace api_install_test
