// Catch-all listeners: everything that comes in, and everything that goes out.
#include <iostream>

#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on_connection([](Socket socket) {
            socket.on_any_outgoing([](const Event& event) {
                std::cerr << "out: " << event.name << ' ' << event.arguments().data << std::endl;
            });
            socket.on_any([socket](const Event& event) {
                socket.emit("you sent", event.name, event.arguments());
            });
        });
    });
    return server.run(argc, argv);
}
