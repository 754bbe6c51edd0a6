// What a client's own test suite needs of a server, on the public API alone.
#include <chrono>
#include <ctime>
#include <string_view>
#include <vector>

#include "server/api/server.hpp"

using namespace oncewire::api;
using namespace std::chrono_literals;

namespace {

/// Now, as Date.toISOString() has it.
std::string iso_date() {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()) % 1s;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[40];
    const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    const auto fraction = std::to_string(1000 + millis.count()).substr(1);
    return std::string(text, length) + '.' + fraction + 'Z';
}

/// `event` is answered with `answer`, if bytes arrived as bytes.
void confirm_bytes(const Namespace& nsp, std::string_view event, std::string answer) {
    nsp.on(event, [answer = std::move(answer)](Socket socket, const Event& arrived) {
        if (!arrived.attachments.empty()) socket.emit(answer);
    });
}

/// The last of `events` is answered with `answer` if all the others came before it, each with bytes or a text.
void confirm_order(const Namespace& nsp, const std::vector<std::string>& events,
                   const std::string& answer) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        nsp.on(events[i], [answer, i, count = events.size()](Socket socket, const Event& arrived) {
            const bool is_whole = arrived.get<Binary>(0) || arrived.get<std::string>(0);
            const bool in_order = i == 0 || socket.data().value(answer, std::size_t(0)) == i;
            if (is_whole && in_order) socket.data()[answer] = i + 1;
            if (is_whole && in_order && i + 1 == count) socket.emit(answer);
        });
    }
}

void install_texts(const Namespace& nsp) {
    nsp.on("hi", [](Socket socket) { socket.emit("hi"); });
    nsp.on("echo", [](const Event& event, Ack ack) { ack(event.arguments()); });
    nsp.on("ack", [](Socket socket) {
        socket.emit_with_ack("ack", [socket](AckResult answer) {
            if (!answer || answer->get<int>(0) != 5) return;
            if (answer->get<Json>(1) == Json{{"test", true}}) socket.emit("got it");
        });
    });
    nsp.on("getAckDate", [](Ack ack) { ack(iso_date()); });
    nsp.on("getDate", [](Socket socket) { socket.emit("takeDate", iso_date()); });
    nsp.on("getDateObj", [](Socket socket) {
        socket.emit("takeDateObj", Json{{"date", iso_date()}});
    });
    nsp.on("getUtf8", [](Socket socket) {
        for (const char* text :
             {"てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"})
            socket.emit("takeUtf8", text);
    });
    nsp.on("false", [](Socket socket) { socket.emit("false", false); });
}

void install_bytes(const Namespace& nsp) {
    nsp.on("doge", [](Socket socket) { socket.emit("doge", Binary{"asdfasdf"}); });
    nsp.on("getbin", [](Socket socket, Binary bytes) { socket.emit("takebin", bytes); });
    nsp.on("blob", [](Socket socket, Binary bytes) { socket.emit("back", bytes); });
    confirm_bytes(nsp, "buffa", "buffack");
    confirm_bytes(nsp, "jsonbuff", "jsonbuff-ack");
    confirm_bytes(nsp, "jsonblob", "jsonblob-ack");
    confirm_order(nsp, {"abuff1", "abuff2"}, "abuff2-ack");
    confirm_order(nsp, {"blob1", "blob2", "blob3"}, "blob3-ack");
}

void install_rooms(Application& io) {
    io.on("getHandshake", [](Socket socket, Ack ack) { ack(socket.handshake()); });
    io.on("getId", [](Socket socket, Ack ack) { ack(socket.id()); });
    io.on("join", [](Socket socket, std::string room, Ack ack) {
        socket.join(room);
        ack();
    });
    io.on("leave", [](Socket socket, std::string room, Ack ack) {
        socket.leave(room);
        ack();
    });
    io.on("to", [](Socket socket, std::string room, std::string name, const Event& event) {
        socket.to(room).emit(name, event.arguments(2));
    });
    io.on("volatile", [](Socket socket, std::string name, const Event& event) {
        socket.volatile_().emit(name, event.arguments(1));
    });
    io.on("count", [&io](Ack ack) {
        io.fetch_sockets().then(
            [ack](const std::vector<RemoteSocket>& sockets) { ack(sockets.size()); });
    });
}

void install(Application& io) {
    io.allow_request([&io](const oncewire::hub::Request&, Decision decide) {
        io.after(10ms, [decide] { decide(); });
    });
    io.use([](Socket socket) {
        for (const auto& [name, value] : socket.handshake().query) {
            if (name == "fail") return std::optional(refuse("Auth failed (main namespace)"));
        }
        return allow();
    });
    install_texts(io.of("/"));
    install_bytes(io.of("/"));
    install_rooms(io);
    for (const char* name : {"/timeout_socket", "/valid", "/asd"}) io.of(name);
    io.of("/foo").on("getId", [](Socket socket, Ack ack) { ack(socket.id()); });
    io.of("/abc").on_connection(
        [](Socket socket) { socket.emit("handshake", socket.handshake()); });
    io.of("/no").use(
        [](Socket) { return std::optional(refuse("Auth failed (custom namespace)")); });
}

}  // namespace

int main(int argc, char** argv) {
    Server::Options options;
    options.origins = {"*"};
    options.ping_interval = 2s;
    Server server(std::move(options), install);
    server.flag("--recovery", "Clients may come back to the session they had",
                [&] { server.options().connection_state_recovery.emplace(); });
    return server.run(argc, argv);
}
