// What tests/bench/node/fanout.mjs is for Node: every message to everybody, and an echo. No database.
#include <csignal>
#include <iostream>
#include <memory>

#include "server/api/application.hpp"
#include "server/core/server.hpp"
#include "server/store/sqlite_store.hpp"

using namespace oncewire;

namespace {

constexpr std::string_view everybody = "everybody";

void install(api::Application& application) {
    application.use("/", [](const api::Handshake&) {
        return api::Admission{.rooms = {std::string(everybody)}};
    });
    application.on("message", [](api::Socket socket, const api::Event& event, api::Ack) {
        socket.emit(event.name, {event.args.at(0)});
        socket.to(everybody).emit(event.name, {event.args.at(0)});
    });
    application.on("echo", [](api::Socket, const api::Event& event, api::Ack ack) {
        ack({event.args.at(0)});
    });
}

}  // namespace

int main() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    auto store = store::SqliteStore::open(":memory:", delivery::Epoch{"bench"});
    if (!store) return 1;
    core::Server::Options options;
    options.address = {"127.0.0.1", 0};
    core::Server server(std::move(options), std::move(*store), install);
    const auto port = server.start();
    if (!port) return 1;
    std::cout << "listening on http://127.0.0.1:" << *port << std::endl;
    int signal = 0;
    sigwait(&signals, &signal);
    server.stop();
}
