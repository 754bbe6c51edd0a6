#pragma once

#include <functional>
#include <string_view>

#include "server/sequencer/transaction.hpp"
#include "shared/base/result.hpp"
#include "shared/delivery/position.hpp"

namespace oncewire::api {

/// Stores a message once for each id that its sender gave it: what the Socket.IO tutorial calls
/// exactly-once, without its holes. For clients that know no more than to send again until they are
/// answered; ours (tier 2) need it not, since their messages come here once.
///
///     io.on_durable("chat message", [](Tx& tx, const Message& message) {
///         const auto text = message.args[0], id = …;
///         return insert_once(tx, message, id, text, [&] { return tx.publish("chat", …); });
///     });
///
/// | known is | then |
/// |---|---|
/// | nothing under this id | `insert` is called, in this transaction: accepted with `{"id": offset}` |
/// | the same id with the same body | nothing is stored: accepted, with the first offset |
/// | another body, from this session | rejected, `"conflict"`: the sender reused an id |
/// | another body, from others | `insert` is called: two people may think of the same id |
///
/// There is no time window. `body`: what tells two messages apart, the text as it came; ids beginning
/// with `undefined-` are compared within the session only. A StoreError means "not now": nothing was
/// stored, and the sender is not answered.
///
/// From an ordinary handler: `socket.submit("chat message", text, id, [ack](SubmitResult result) {…})`
/// has this handler run and hears what became of it.
Result<store::Verdict, store::StoreError> insert_once(
    sequencer::Tx& tx, const sequencer::Message& message, std::string_view id,
    std::string_view body,
    const std::function<Result<delivery::Offset, store::StoreError>()>& insert);

}  // namespace oncewire::api
