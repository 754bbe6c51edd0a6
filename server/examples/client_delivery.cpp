// Client delivery: a client with `retries` sends again until it is answered, so a message comes at least
// once. One that carries an id of its own as second argument is stored exactly once.
#include "server/api/server.hpp"

using namespace oncewire::api;

namespace {

using Outcome = oncewire::Result<Verdict, StoreError>;

Outcome publish(Tx& tx, const JsonText& text) {
    const auto offset = tx.next_offset();
    const auto stored = tx.publish("chat", encode("chat message", text, offset).data);
    if (!stored) return oncewire::Err{stored.error()};
    return accept();
}

/// `id` decides whether this is the same message again.
Outcome publish_once(Tx& tx, const Message& message, const JsonText& text, const std::string& id) {
    const auto known = tx.check_once(id, message.scope, text.text);
    if (!known) return oncewire::Err{known.error()};
    if (known->outcome == Tx::Once::repeated) return accept();
    if (known->outcome == Tx::Once::conflict) {
        return reject("conflict", "this id was used for another text");
    }
    const auto offset = tx.next_offset();
    auto verdict = publish(tx, text);
    if (!verdict) return verdict;
    const auto remembered = tx.remember_once(id, message.scope, text.text, offset);
    if (!remembered) return oncewire::Err{remembered.error()};
    return verdict;
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
        io.on_durable("chat message", [](Tx& tx, const Message& message) -> Outcome {
            if (message.args.empty()) return reject("no_text", "say something");
            const JsonText text{std::string(message.args[0])};
            const auto id = message.args.size() > 1
                                ? Decoder<std::string>::decode(message.args[1], {})
                                : std::nullopt;
            return id ? publish_once(tx, message, text, *id) : publish(tx, text);
        });
    });
    return server.run(argc, argv);
}
