// What tests/bench/node/fanout.mjs is for Node: every message to everybody, and an echo. No database.
//
//   bench-fanout_server [--cores N]
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>

#include "server/api/application.hpp"
#include "server/core/server.hpp"
#include "server/store/sqlite/store.hpp"

using namespace oncewire;

namespace {

constexpr std::string_view everybody = "everybody";

void install(api::Application& application) {
    application.use([](api::Socket socket) {
        socket.join(everybody);
        return api::allow();
    });
    // To the sender, too, by the way that orders it: so that its window holds it back where there are
    // several cores.
    application.on("message", [&application](const api::JsonText& text) {
        application.to(everybody).emit("message", text);
    });
    application.on("echo", [](const api::JsonText& value, const api::Ack& ack) { ack(value); });
}

}  // namespace

int main(int argc, char** argv) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    auto store = store::SqliteStore::open(":memory:", delivery::Epoch{"bench"});
    if (!store) return 1;
    core::Server::Options options;
    options.server.port = 0;
    options.server.max_connections_per_address.reset();  // thousands come from one machine
    if (argc == 3 && argv[1] == std::string_view("--cores")) {
        options.server.cores = static_cast<std::uint16_t>(std::atoi(argv[2]));
    }
    core::Server server(std::move(options), std::move(*store), install);
    const auto port = server.start();
    if (!port) return 1;
    std::cout << "listening on http://127.0.0.1:" << *port << std::endl;
    int signal = 0;
    sigwait(&signals, &signal);
    server.stop();
}
