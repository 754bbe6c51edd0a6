// All cores: the function below runs once for each of them, and what it installs stays on that core. A
// broadcast reaches the clients of every core, in one order for all.
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({.cores = 2}, [](Application& io) {
        io.on("chat message", [&io](std::string text) { io.emit("chat message", text); });
        io.on("who", [&io](Ack ack) {
            io.fetch_sockets().then([ack](const std::vector<RemoteSocket>& all) {
                std::vector<std::string> ids;
                for (const auto& socket : all) ids.push_back(socket.id());
                ack(ids);
            });
        });
        io.on("tell the other cores",
              [&io](std::string text) { io.server_side_emit("note", text); });
        io.on("ask the other cores", [&io](Ack ack) {
            io.server_side_emit_with_ack("how many", [ack](const ServerSideAcks& all) {
                std::vector<Json> counts;
                for (const auto& answer : all.answers) counts.push_back(*answer.get<Json>());
                ack(counts, all.timed_out);
            });
        });
        io.on_server_side("how many", [&io](Ack ack) { ack(io.sockets().size()); });
        io.on_server_side("note", [&io](std::string text) { io.local().emit("note", text); });
    });
    return server.run(argc, argv);
}
