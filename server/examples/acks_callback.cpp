// Acknowledgements with callbacks: the client's events are answered, and the client is asked.
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        // Who goes without an answer is told of at once, and asked again when back: they may hear the
        // question twice, but it is not lost with the connection. The names are this core's alone.
        const auto unanswered = std::make_shared<std::set<std::string>>();
        const auto remind = [&io, unanswered](const Socket& socket, const std::string& name) {
            unanswered->insert(name);
            socket.emit_with_ack("reminder", [&io, unanswered, name](const AckResult& answer) {
                if (answer) unanswered->erase(name);
                io.emit(answer ? "answered" : "not answered", name);
            });
        };
        io.on_connection([&io, unanswered, remind](Socket socket) {
            // What CONNECT said is there until this handler has run.
            const auto name = socket.handshake().auth_value<std::string>("name").value_or("");
            if (unanswered->contains(name)) remind(socket, name);
            socket.on("remind me", [socket, remind, name] { remind(socket, name); });

            socket.on("request", [](std::string first, Json second, Ack ack) {
                ack(Json{{"status", "ok"}, {"first", first}, {"second", second}});
            });

            socket.on("ask me", [socket](int seconds) {
                socket.timeout(std::chrono::seconds(seconds))
                    .emit_with_ack("question", "how are you", [socket](AckResult answer) {
                        if (answer) {
                            socket.emit("you answered", *answer);
                        } else {
                            socket.emit("you did not answer", error_text(answer.error()));
                        }
                    });
            });

            socket.on("ask everybody", [&io, socket](int seconds) {
                io.timeout(std::chrono::seconds(seconds))
                    .on_answer([socket](std::string_view who, const Arguments& answer) {
                        socket.emit("answer", who, answer);
                    })
                    .emit_with_ack("question", "who is there", [socket](const BroadcastAcks& acks) {
                        socket.emit("answers", acks.answers.size(), acks.asked, acks.timed_out);
                    });
            });
        });
    });
    return server.run(argc, argv);
}
