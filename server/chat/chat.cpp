#include "server/chat/chat.hpp"

#include "shared/base/json.hpp"

namespace oncewire::chat {
namespace {

constexpr std::string_view room = "chat";
constexpr std::string_view message_event = "chat message";

using store::StoreError;
using store::Verdict;

std::optional<api::Refusal> enter(api::Socket socket) {
    const auto offset = socket.handshake().auth_value<delivery::Offset>("serverOffset");
    socket.join(room);
    // Whatever is no offset counts as none, as in the tutorial: better everything than nothing.
    socket.replay_after(offset.value_or(0));
    return api::allow();
}

void echo(api::JsonText value, const api::Event& event, api::Ack ack) {
    ack(api::Arguments{'[' + value.text + ']', event.attachments});
}

Verdict stored_as(delivery::Offset offset) {
    return store::accept("{\"id\":" + std::to_string(offset) + "}");
}

/// `text`: the JSON of it, passed on as it came.
Result<Verdict, StoreError> publish(store::Tx& tx, std::string_view text, std::string_view key) {
    const delivery::Offset id = tx.next_offset();
    std::string data = "[";
    json::append_quoted(data, message_event);
    data += ',';
    data += text;
    data += "," + std::to_string(id) + ",{\"at\":" + std::to_string(tx.now().value);
    if (!key.empty()) {
        data += ",\"key\":";
        json::append_quoted(data, key);
    }
    data += "}]";
    if (const auto published = tx.publish(room, std::move(data)); !published) {
        return Err{published.error()};
    }
    return stored_as(id);
}

/// Tier 1: the sender's own id, or what stands for it, decides whether this is a repetition.
Result<Verdict, StoreError> publish_once(store::Tx& tx, const store::Message& message,
                                         std::string_view text, std::string_view id) {
    const auto known = tx.check_once(id, message.scope, text);
    if (!known) return Err{known.error()};
    switch (known->outcome) {
        case store::Tx::Once::repeated:
            return stored_as(known->offset);
        case store::Tx::Once::conflict:
            return store::reject("conflict", "this client offset was used for another text");
        case store::Tx::Once::fresh:
        case store::Tx::Once::collision:
            break;
    }
    const delivery::Offset offset = tx.next_offset();
    auto verdict = publish(tx, text, {});
    if (!verdict) return verdict;
    if (const auto kept = tx.remember_once(id, message.scope, text, offset); !kept) {
        return Err{kept.error()};
    }
    return verdict;
}

/// A string, as the tutorial sends it, or a number.
std::optional<std::string> client_offset(std::string_view arg) {
    auto id = json::as_string(arg);
    if (!id && json::kind_of(arg) == json::Kind::number) id = std::string(arg);
    const bool usable = id && !id->empty() && id->size() <= client_offset_bytes_max;
    return usable ? id : std::nullopt;
}

Result<Verdict, StoreError> take_message(store::Tx& tx, const store::Message& message) {
    const auto& args = message.args;
    if (args.empty() || json::kind_of(args[0]) != json::Kind::string) {
        return store::reject("invalid_text", "the first argument must be the text");
    }
    const std::string_view text = args[0];
    if (text.size() > text_bytes_max) return store::reject("text_too_long", "the text is too long");
    // A message with a key is repeated by the protocol, not by us.
    const bool has_offset = message.key.empty() && args.size() > 1 && args[1] != "null";
    if (!has_offset) return publish(tx, text, message.key);
    const auto id = client_offset(args[1]);
    if (!id) return store::reject("invalid_client_offset", "must be a short string or a number");
    return publish_once(tx, message, text, *id);
}

}  // namespace

void install(api::Application& application) {
    application.use(enter);
    application.on("echo", echo);
    application.on_durable(message_event, take_message);
}

}  // namespace oncewire::chat
