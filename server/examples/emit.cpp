// Emitting: one event in, one out to the same client.
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on_connection([](Socket socket) {
            socket.emit("hello", "world", 1, Json{{"list", {1, 2, 3}}}, Binary{"bytes"});

            socket.on("chat message", [socket](std::string text) {
                socket.emit("chat message", "you said: " + text);
            });
        });
    });
    return server.run(argc, argv);
}
