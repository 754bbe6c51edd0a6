// Permission that is taken away. Who was put out of the room says nothing in it any more, not even what has
// waited in an outbox since before, and hears nothing more of it. Who is outside is a table of ours, so it
// is judged together with the message, and a restart changes nothing.
#include <string>

#include "server/api/server.hpp"

using namespace oncewire::api;
using Answer = oncewire::Result<Verdict, StoreError>;

namespace {

/// Accepts whoever may be in the room. Middlewares ask it, too.
Answer enter(Tx& tx, const Message& message) {
    const auto outside = tx.sql("SELECT 1 FROM outside WHERE name = ?1", message.sender);
    if (!outside) return failed(outside.error());
    return outside->empty() ? accept() : reject("forbidden", "you are not in this room any more");
}

Answer say(Tx& tx, const Message& message) {
    const auto text = argument<std::string>(message, 0);
    if (!text) return reject("bad_arguments", "what is said");
    auto entered = enter(tx, message);
    if (!entered || entered->kind == Verdict::Kind::rejected) return entered;
    const std::string name(message.sender);
    const auto told = tx.publish("room", "said", name, *text);
    if (!told) return oncewire::Err{told.error()};
    return accept();
}

/// Anybody may put out anybody: what this shows is what follows.
Answer put_out(Tx& tx, const Message& message) {
    const auto name = argument<std::string>(message, 0);
    if (!name) return reject("bad_arguments", "who");
    const auto stored = tx.sql("INSERT OR IGNORE INTO outside VALUES (?1)", *name);
    if (!stored) return failed(stored.error());
    const auto leaving = tx.defer("leave", encode(*name).data);
    if (!leaving) return oncewire::Err{leaving.error()};
    return accept();
}

}  // namespace

int main(int argc, char** argv) {
    Server server({.database = "members.db"}, [](Application& io) {
        io.schema({"CREATE TABLE outside (name TEXT PRIMARY KEY) STRICT"});
        // Asked again at every return: the log is read from where one stood, in the rooms one has now.
        io.use([](Socket socket, Next next) {
            const auto name = socket.handshake().auth_value<std::string>("name").value_or("");
            socket.introduce(name);
            socket.identify(name);
            socket.join("person " + name);
            socket.submit("enter", [socket, next](const SubmitResult& result) {
                if (!result) return next(refuse("try again"));
                if (result->kind == Verdict::Kind::accepted) socket.join("room");
                next();
            });
        });
        io.on_durable("enter", enter);
        io.on_durable("say", say);
        io.on_durable("put out", put_out);
        io.on_task("leave", [&io](const DeferredTask& task, EndTask end) {
            const auto names = Json::parse(task.payload);
            io.in("person " + names.at(0).get<std::string>()).sockets_leave("room");
            end(true);
        });
    });
    return server.run(argc, argv);
}
