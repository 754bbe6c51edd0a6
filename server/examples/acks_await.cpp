// Acknowledgements with co_await. Such a handler takes what it needs as parameters.
#include <chrono>

#include "server/api/awaitable.hpp"
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on("ask me", [](Socket socket, int seconds) -> Task {
            const std::chrono::seconds patience(seconds);
            const AckResult answer = co_await socket.timeout(patience).emit_with_ack("question");
            if (answer) {
                socket.emit("you answered", *answer);
            } else {
                socket.emit("you did not answer", error_text(answer.error()));
            }
        });
    });
    return server.run(argc, argv);
}
