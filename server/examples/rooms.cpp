// Rooms: join, leave, and speak to some.
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on_connection([&io](Socket socket) {
            socket.on("join", [socket](std::string room, Ack ack) {
                socket.join(room);
                ack(socket.rooms().size());
            });
            socket.on("leave", [socket](std::string room, Ack ack) {
                socket.leave(room);
                ack(socket.rooms().size());
            });
            socket.on("say", [&io](std::string room, std::string text) {
                io.to(room).emit("said", text);
            });
            socket.on("say to others", [socket](std::string room, std::string text) {
                socket.to(room).except("deaf").emit("said", text);
            });
        });
    });
    return server.run(argc, argv);
}
