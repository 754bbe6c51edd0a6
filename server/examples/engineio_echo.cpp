// Engine.IO alone, without Socket.IO on top: every message comes back. Speaks on /engine.io/ with the
// timings that the protocol's own test suite wants, so that it can be pointed here; others can be given.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "server/core/server.hpp"
#include "server/examples/take_number.hpp"
#include "server/store/memory_store.hpp"

using namespace oncewire;

int main(int argc, char** argv) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before the server's threads inherit it

    core::Server::Options options;
    options.address = {"127.0.0.1", take_number<std::uint16_t>(argc, argv, "--port", 3000)};
    options.timings = {Millis{take_number(argc, argv, "--ping-interval", 300)},
                       Millis{take_number(argc, argv, "--ping-timeout", 200)}};
    options.http.engine.path = "/engine.io/";
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
