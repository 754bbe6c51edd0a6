// Namespaces that come to be when a client asks for them, by pattern and by predicate. What is said to the
// pattern reaches all of them, on every core.
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.cleanup_empty_child_namespaces(true);
        const Namespace games = io.of(Pattern{"/game-#"});
        games.on_connection([](Socket socket) { socket.emit("welcome to", socket.nsp()); });
        games.on("tell all games", [games](std::string text) { games.emit("news", text); });
        games.on("who plays", [games](Ack ack) {
            games.fetch_sockets().then(
                [ack](const std::vector<RemoteSocket>& all) { ack(all.size()); });
        });
        // A predicate is asked whether the namespace may come to be; who may enter it then is for a
        // middleware to say.
        io.of([](std::string_view name, const Json&) {
              return name.starts_with("/team-");
          }).use([](Socket socket) {
            const auto badge = socket.handshake().auth_value<std::string>("badge");
            return badge == "gold" ? allow()
                                   : std::optional(refuse("no badge", Json{{"ask", "monday"}}));
        });
    });
    return server.run(argc, argv);
}
