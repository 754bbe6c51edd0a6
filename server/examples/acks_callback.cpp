// Acknowledgements with callbacks: the client's events are answered, and the client is asked.
#include <chrono>

#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on_connection([&io](Socket socket) {
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
