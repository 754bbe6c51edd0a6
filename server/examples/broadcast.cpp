// Broadcasting: to everybody, and to everybody else.
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on_connection([&io](Socket socket) {
            socket.broadcast().emit("hi", "somebody came");

            socket.on("chat message", [&io](std::string text) { io.emit("chat message", text); });
        });
    });
    return server.run(argc, argv);
}
