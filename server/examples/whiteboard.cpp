// A whiteboard: what somebody draws, everybody else is sent as it is.
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on("drawing",
              [](Socket socket, JsonText stroke) { socket.broadcast().emit("drawing", stroke); });
    });
    return server.run(argc, argv);
}
