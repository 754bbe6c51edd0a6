// What a server can be told when it is made: transports, limits, compression, a cookie, folders; and what
// it answers to HTTP requests that are not Socket.IO's.
#include <stdexcept>

#include "server/api/server.hpp"

using namespace oncewire::api;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
    Server::Options options;
    options.path = "/events/";
    options.ping_interval = 2s;
    options.ping_timeout = 4s;
    options.serve_client = false;
    options.max_http_buffer_size = 100'000;
    options.per_message_deflate = 1024;
    options.cookie = Cookie{.path = "/events/", .max_age = 3600};
    options.folders = {{"/files/", "public"}};
    Server server(std::move(options), [](Application& io) {
        io.on("echo", [](const Event& event, Ack ack) { ack(event.arguments()); });
        // Told in one line on standard error, if `options.log` sends it nowhere else; costs its client alone.
        io.on("fail", [] { throw std::runtime_error("no such file"); });
        io.on("send me away", [](Socket socket) { socket.disconnect(); });
        io.on("disconnect", [](Socket socket, std::string reason) {
            socket.broadcast().emit("gone " + std::string(socket.id()), reason);
        });
        io.on_http([](const HttpRequest& request, HttpReply reply) {
            if (request.path() != "/health") return reply(404, "nothing here\n");
            reply(200, "well\n");
        });
    });
    server.flag("--folder DIRECTORY", "What is served as /files/", [&](std::string directory) {
        server.options().folders = {{"/files/", std::move(directory)}};
    });
    return server.run(argc, argv);
}
