// Client delivery: a client with `retries` sends again until it is answered, so a message comes at least
// once. One that carries an id of its own as second argument is stored exactly once.
#include "server/api/insert_once.hpp"
#include "server/api/server.hpp"

using namespace oncewire::api;

namespace {

using Outcome = oncewire::Result<Verdict, StoreError>;

Outcome store_message(Tx& tx, const Message& message) {
    if (message.args.empty()) return reject("no_text", "say something");
    const JsonText text{std::string(message.args[0])};
    const auto publish = [&] {
        return tx.publish("chat", encode("chat message", text, tx.next_offset()).data);
    };
    const auto id =
        message.args.size() > 1 ? Decoder<std::string>::decode(message.args[1], {}) : std::nullopt;
    if (id) return insert_once(tx, message, *id, text.text, publish);
    const auto stored = publish();
    if (!stored) return oncewire::Err{stored.error()};
    return accept();
}

}  // namespace

int main(int argc, char** argv) {
    Server server({.database = "chat.db"}, [](Application& io) {
        io.use([](Socket socket) {
            socket.join("chat");
            socket.replay_after(
                socket.handshake().auth_value<std::uint64_t>("serverOffset").value_or(0));
            return allow();
        });
        io.on_durable("chat message", store_message);
        // From an ordinary handler: the same, and what became of it is heard here.
        io.on("order", [](Socket socket, std::string dish, std::string id, Ack ack) {
            socket.submit("chat message", dish, id, [ack](const SubmitResult& result) {
                if (!result) return ack("try again");
                const bool is_stored = result->kind == Verdict::Kind::accepted;
                ack(is_stored ? "ordered" : "refused", JsonText{result->body});
            });
        });
    });
    return server.run(argc, argv);
}
