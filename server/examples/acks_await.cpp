// Acknowledgements with co_await. Such a handler takes what it needs as parameters.
#include "server/api/awaitable.hpp"
#include "server/api/server.hpp"

using namespace oncewire::api;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
    Server server({}, [](Application& io) {
        io.on("ask me", [](Socket socket) -> Task {
            const AckResult answer = co_await socket.timeout(1s).emit_with_ack("question");
            if (answer) {
                socket.emit("you answered", *answer);
            } else {
                socket.emit("you did not answer", error_text(answer.error()));
            }
        });
    });
    return server.run(argc, argv);
}
