// The server asks one client something until it is answered: over lost links, refreshes of the page and
// restarts of the server. Whatever follows from the answer is done once.
#include <string>

#include "server/api/server.hpp"

using namespace oncewire::api;

namespace {

constexpr oncewire::Millis an_hour{3'600'000};

/// Stores an order, and asks whoever ordered to confirm it.
oncewire::Result<Verdict, StoreError> order(Tx& tx, const Message& message) {
    const auto what = argument<std::string>(message, 0);
    if (!what) return reject("bad_arguments", "what is ordered");
    const auto asked = tx.ask(message.producer, encode("confirm", *what).data, {an_hour, *what});
    if (!asked) return oncewire::Err{asked.error()};
    if (asked->outcome == Asked::Outcome::nobody) return reject("unmodified", "cannot be asked");
    if (asked->outcome != Asked::Outcome::asked) return reject("waits", "it is being asked");
    return accept();
}

oncewire::Result<void, StoreError> confirmed(Tx& tx, const Question& question, const Reply& reply) {
    const std::string answer =
        reply.expired || reply.args.empty() ? "null" : std::string(reply.args[0]);
    const JsonText what{std::string(question.args[0])};
    const auto told = tx.publish("orders", "ordered", what, JsonText{answer});
    if (!told) return oncewire::Err{told.error()};
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    Server server({.database = "orders.db"}, [](Application& io) {
        io.use([](Socket socket) {
            socket.join("orders");
            socket.replay_after(0);
            return allow();
        });
        io.on_durable("order", order);
        io.on_durable(
            "withdraw",
            [](Tx& tx, const Message& message) -> oncewire::Result<Verdict, StoreError> {
                const auto cancelled = tx.cancel(argument<std::string>(message, 0).value_or(""));
                if (!cancelled) return oncewire::Err{cancelled.error()};
                return *cancelled ? accept() : reject("too_late", "it was answered, or is unknown");
            });
        io.on_reply("confirm", confirmed);
    });
    return server.run(argc, argv);
}
