// The server the official Socket.IO v5 suite asks for: everything comes back.
#include "server/api/server.hpp"

using namespace oncewire::api;
using namespace std::chrono_literals;

namespace {

void install(const Namespace& nsp) {
    nsp.on_connection([](Socket socket) { socket.emit("auth", socket.handshake().auth); });
    nsp.on("message", [](Socket socket, const Event& event) {
        socket.emit("message-back", event.arguments());
    });
    nsp.on("message-with-ack", [](const Event& event, Ack ack) { ack(event.arguments()); });
}

}  // namespace

int main(int argc, char** argv) {
    Server::Options options;
    options.origins = {"*"};
    options.ping_interval = 300ms;
    options.ping_timeout = 200ms;
    options.connect_timeout = 1s;
    Server server(std::move(options), [](Application& io) {
        install(io.of("/"));
        install(io.of("/custom"));
    });
    return server.run(argc, argv);
}
