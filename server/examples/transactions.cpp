// A transactional handler: the message, the application's own tables, what is published and the work left
// for later are stored together or not at all, however often the message was sent.
#include <cstdint>
#include <stdexcept>
#include <string>

#include "server/api/server.hpp"

using namespace oncewire::api;
using Answer = oncewire::Result<Verdict, StoreError>;

namespace {

/// Pays `cents` from one account to another: arguments from, to, cents.
Answer transfer(Tx& tx, const Message& message) {
    const auto from = argument<std::string>(message, 0);
    const auto to = argument<std::string>(message, 1);
    const auto cents = argument<std::int64_t>(message, 2);
    if (!from || !to || !cents || *cents <= 0) return reject("bad_arguments", "from, to, cents");
    if (*to == "nobody") throw std::runtime_error("what a handler throws costs its message alone");

    // The second parameter is bound, never pasted: whatever a name holds, it is only a name.
    const auto paid = tx.sql(
        "UPDATE accounts SET cents = cents - ?2 WHERE name = ?1 RETURNING cents", *from, *cents);
    if (!paid && paid.error().is_constraint) return reject("no_money", "there is not enough on it");
    if (!paid) return failed(paid.error());
    if (paid->empty()) return reject("no_account", "nobody of this name has an account");
    const auto got = tx.sql(
        "INSERT INTO accounts (name, cents) VALUES (?1, ?2)"
        " ON CONFLICT (name) DO UPDATE SET cents = cents + ?2",
        *to, *cents);
    if (!got) return failed(got.error());

    // Everybody hears of it after the commit, or nobody.
    const auto told = tx.publish("bank", "transferred", *from, *to, *cents);
    if (!told) return oncewire::Err{told.error()};
    // A mail cannot be taken back: it is sent after the commit, again if need be, under the same key.
    const auto mail = tx.defer("receipt", encode(*to, *cents).data);
    if (!mail) return oncewire::Err{mail.error()};
    return accept(encode(*mail).data);
}

}  // namespace

int main(int argc, char** argv) {
    Server server({.database = "bank.db"}, [](Application& io) {
        io.schema({
            "CREATE TABLE accounts (name TEXT PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= "
            "0))"
            " STRICT",
            "INSERT INTO accounts VALUES ('ann', 1000)",
        });
        io.use([](Socket socket) {
            socket.join("bank");
            return allow();
        });
        io.on_durable("transfer", transfer);
        io.on_task("receipt", [&io](const DeferredTask& task, EndTask end) {
            io.everybody().emit("receipt", task.key, JsonText{task.payload});
            end(true);
        });
    });
    return server.run(argc, argv);
}
