// The disconnect toggle: a client goes and comes back, and the server says who is there. Whoever
// behaves badly is sent away.
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on_connection([](Socket socket) {
            socket.broadcast().emit("came", socket.id());

            socket.on("leave me alone", [socket] { socket.disconnect(); });
            socket.on("disconnect", [socket](std::string reason) {
                socket.broadcast().emit("went", socket.id(), reason);
            });
        });
    });
    return server.run(argc, argv);
}
