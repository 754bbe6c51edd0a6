// The server the official Socket.IO v5 suite asks for: everything comes back. Its timings are the
// suite's, too; who is slower gives others.
#include "server/api/server.hpp"

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
    options.ping_interval = Millis{300};
    options.ping_timeout = Millis{200};
    options.connect_timeout = Millis{1000};
    Server server(std::move(options), [](Application& io) {
        install(io.of("/"));
        install(io.of("/custom"));
    });
    const auto time = [&server](const char* flag, const char* help,
                                Millis Server::Options::*which) {
        server.flag(flag, help, [&server, which](int ms) { server.options().*which = Millis{ms}; });
    };
    time("--ping-interval MS", "Between two pings", &Server::Options::ping_interval);
    time("--ping-timeout MS", "For the answer to one", &Server::Options::ping_timeout);
    time("--connect-timeout MS", "For joining a namespace", &Server::Options::connect_timeout);
    return server.run(argc, argv);
}
