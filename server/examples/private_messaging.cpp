// Private messages: a person is a room, and all their tabs are in it. The browser keeps a secret id that
// brings them back as who they were; the others know them by another one.
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "server/api/server.hpp"

using namespace oncewire::api;

namespace {

struct Session {
    std::string user;
    std::string name;
    int tabs = 0;
};

struct People {
    std::map<std::string, Session> sessions;  // by their secret id
    std::vector<Json> messages;

    Session& of(Socket socket) { return sessions.at(socket.data()["session"]); }

    Json between(const std::string& one, const std::string& other) const {
        Json found = Json::array();
        for (const auto& message : messages) {
            const auto &from = message["from"], &to = message["to"];
            if ((from == one && to == other) || (from == other && to == one))
                found.push_back(message);
        }
        return found;
    }

    Json known_to(const std::string& user) const {
        Json list = Json::array();
        for (const auto& [id, session] : sessions) {
            list.push_back({{"userID", session.user},
                            {"username", session.name},
                            {"connected", session.tabs > 0},
                            {"messages", between(user, session.user)}});
        }
        return list;
    }
};

std::string random_id() {
    std::random_device entropy;
    std::string id;
    while (id.size() < 16) id += "0123456789abcdef"[entropy() % 16];
    return id;
}

/// Whoever the browser remembers, or somebody new.
std::optional<Refusal> enter(People& people, Socket socket) {
    const Handshake said = socket.handshake();
    std::string id = said.auth_value<std::string>("sessionID").value_or("");
    if (!people.sessions.contains(id)) {
        const auto name = said.auth_value<std::string>("username").value_or("");
        if (name.empty()) return refuse("invalid username");
        id = random_id();
        people.sessions[id] = {random_id(), name};
    }
    socket.data()["session"] = id;
    return allow();
}

void welcome(People& people, Socket socket) {
    Session& session = people.of(socket);
    ++session.tabs;
    socket.join(session.user);
    socket.emit("session", Json{{"sessionID", socket.data()["session"]}, {"userID", session.user}});
    socket.emit("users", people.known_to(session.user));
    socket.broadcast().emit("user connected", Json{{"userID", session.user},
                                                   {"username", session.name},
                                                   {"connected", true},
                                                   {"messages", Json::array()}});
}

}  // namespace

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        const auto people = std::make_shared<People>();
        io.use([people](Socket socket) { return enter(*people, socket); });
        io.on_connection([people](Socket socket) { welcome(*people, socket); });
        io.on("private message", [people](Socket socket, Json written) {
            const std::string user = people->of(socket).user;
            const std::string to = written.value("to", "");
            const Json message{{"content", written["content"]}, {"from", user}, {"to", to}};
            people->messages.push_back(message);
            socket.to(to).to(user).emit("private message", message);
        });
        io.on("disconnect", [people](Socket socket) {
            Session& session = people->of(socket);
            if (--session.tabs == 0) socket.broadcast().emit("user disconnected", session.user);
        });
    });
    return server.run(argc, argv);
}
