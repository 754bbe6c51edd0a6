// The server the official Socket.IO v5 suite asks for: everything comes back. Its timings are the
// suite's, too; who is slower gives others.
#include "server/api/server.hpp"
#include "server/examples/take_number.hpp"

using namespace oncewire::api;
using oncewire::Millis;

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
    options.ping_interval = Millis{take_number(argc, argv, "--ping-interval", 300)};
    options.ping_timeout = Millis{take_number(argc, argv, "--ping-timeout", 200)};
    options.connect_timeout = Millis{take_number(argc, argv, "--connect-timeout", 1000)};
    Server server(std::move(options), [](Application& io) {
        install(io.of("/"));
        install(io.of("/custom"));
    });
    return server.run(argc, argv);
}
