// Engine.IO alone, without Socket.IO on top: every message comes back. Speaks on /engine.io/ with the
// timings that the protocol's own test suite wants, so that it can be pointed here; others can be given.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <CLI/CLI.hpp>

#include "server/core/server.hpp"
#include "server/store/memory/memory_store.hpp"

using namespace oncewire;

int main(int argc, char** argv) {
    CLI::App flags("Engine.IO alone: every message comes back");
    std::uint16_t port_wanted = 3000;
    int ping_interval = 300, ping_timeout = 200, connect_timeout = 45'000;
    flags.add_option("--port", port_wanted, "Port to listen on; 0: any free one")
        ->capture_default_str();
    flags.add_option("--ping-interval", ping_interval, "Milliseconds between two pings")
        ->capture_default_str();
    flags.add_option("--ping-timeout", ping_timeout, "Milliseconds for the answer to one")
        ->capture_default_str();
    flags
        .add_option(
            "--connect-timeout", connect_timeout,
            "Taken as socketio-echo takes it; without namespaces there is nothing to join in time")
        ->capture_default_str();
    CLI11_PARSE(flags, argc, argv);

    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before the server's threads inherit it

    core::Server::Options options;
    options.server.port = port_wanted;
    options.server.ping_interval = Millis{ping_interval};
    options.server.ping_timeout = Millis{ping_timeout};
    options.server.connect_timeout = Millis{connect_timeout};
    options.server.path = "/engine.io/";
    options.http.engine.origins = {"*"};
    options.on_message = [](hub::Hub& hub, const hub::MessageArrived& arrived) {
        hub.send(arrived.connection, arrived.message);
    };
    store::MemoryDisk nothing{delivery::Epoch{"none"}, {}};
    core::Server server(std::move(options), std::make_unique<store::MemoryStore>(nothing),
                        [](api::Application&) {});
    const auto port = server.start();
    if (!port) {
        std::fprintf(stderr, "%s\n", port.error().c_str());
        return EXIT_FAILURE;
    }
    std::printf("listening on http://127.0.0.1:%u\n", static_cast<unsigned>(*port));
    std::fflush(stdout);
    int signal = 0;
    sigwait(&ends, &signal);
    server.stop();
}
