// Connection state recovery: whoever loses the link, or whose server was killed, comes back as who they
// were, with the same id and rooms, after what they missed. An unmodified client does this by itself.
#include <memory>
#include <set>

#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server::Options options;
    options.database = "recovery.db";
    options.connection_state_recovery.emplace();
    Server server(std::move(options), [](Application& io) {
        // Asked again at every return: whoever was banned meanwhile stays outside and is told nothing.
        const auto banned = std::make_shared<std::set<std::string>>();
        io.use([banned](Socket socket) {
            const auto name = socket.handshake().auth_value<std::string>("name").value_or("");
            if (banned->contains(name)) return std::optional(refuse("banned"));
            socket.identify(name);  // nobody else may resume this session
            return allow();
        });
        io.on_connection([](Socket socket) {
            if (!socket.recovered()) socket.join("lobby");
        });
        io.on("say", [&io](std::string room, const Event& event, Ack ack) {
            io.to(room).emit("said", event.arguments(1));
            ack();
        });
        io.on("hint", [](Socket socket, std::string text) {
            socket.volatile_().emit("hint", text);  // whoever is away never hears it
        });
        io.on("ask me", [](Socket socket, Ack ack) {
            socket.emit("first");
            socket.emit_with_ack("second", [](AckResult) {});
            ack("third");
        });
        io.on("join", [](Socket socket, std::string room, Ack ack) {
            socket.join(room);
            ack(socket.rooms());
        });
        io.on("who is here", [&io](Ack ack) {
            io.fetch_sockets().then([ack](const std::vector<RemoteSocket>& all) {
                std::vector<std::string> ids;
                for (const auto& socket : all) ids.push_back(socket.id());
                ack(ids);
            });
        });
        io.on("rooms", [](Socket socket, Ack ack) { ack(socket.rooms()); });
        io.on("kick", [&io](std::string id, std::string room) { io.in(id).sockets_leave(room); });
        io.on("eject", [&io](std::string id) { io.in(id).disconnect_sockets(); });
        io.on("ban", [&io, banned](std::string name) {
            banned->insert(name);
            io.server_side_emit("ban", name);
        });
        io.on_server_side("ban", [banned](std::string name) { banned->insert(name); });
    });
    return server.run(argc, argv);
}
