// Server delivery: messages are stored, and a client that was away gets what it missed. It says what it
// has as `auth: { serverOffset }`; the offset is the second argument of each message.
#include "server/api/server.hpp"

using namespace oncewire::api;

int main(int argc, char** argv) {
    Server server({.database = "chat.db"}, [](Application& io) {
        io.use([](Socket socket) {
            socket.join("chat");
            socket.replay_after(
                socket.handshake().auth_value<std::uint64_t>("serverOffset").value_or(0));
            return allow();
        });
        // In the transaction that stores it: everybody hears it after it was committed, or nobody.
        io.on_durable("chat message",
                      [](Tx& tx, const Message& message) -> oncewire::Result<Verdict, StoreError> {
                          if (message.args.empty()) return reject("no_text", "say something");
                          const JsonText text{std::string(message.args[0])};
                          const auto offset = tx.next_offset();
                          const auto stored =
                              tx.publish("chat", encode("chat message", text, offset).data);
                          if (!stored) return oncewire::Err{stored.error()};
                          return accept();
                      });
    });
    return server.run(argc, argv);
}
