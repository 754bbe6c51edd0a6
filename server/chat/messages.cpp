// What is stored. All of it runs inside the transaction that holds it, on the sequencer's thread.
#include "server/chat/messages.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include "server/api/insert_once.hpp"
#include "server/chat/pictures.hpp"
#include "shared/base/json.hpp"

namespace oncewire::chat {
namespace {

using api::Json;
using sequencer::Message;
using sequencer::Tx;
using store::reject;
using store::StoreError;
using store::Verdict;
using Answer = Result<Verdict, StoreError>;

Verdict stored_as(delivery::Offset offset) {
    return store::accept("{\"id\":" + std::to_string(offset) + "}");
}

Verdict refuse_unknown_place() { return reject("invalid_place", "there is no such place"); }
Verdict refuse_guest() { return reject("not_signed_in", "say who you are first"); }

// ---- the tutorial's message ---------------------------------------------------------------------

/// `text`: the JSON of it, passed on as it came.
Result<delivery::Offset, StoreError> publish_text(Tx& tx, const Message& message,
                                                  std::string_view text) {
    const delivery::Offset id = tx.next_offset();
    const Sender sender = decode_sender(message.sender);
    std::string data = "[";
    json::append_quoted(data, "chat message");
    data += ',';
    data += text;
    data += "," + std::to_string(id) + ",{\"at\":" + std::to_string(tx.now().value);
    const auto add = [&data](std::string_view name, std::string_view value) {
        if (value.empty()) return;
        data += ",\"" + std::string(name) + "\":";
        json::append_quoted(data, value);
    };
    add("key", message.key);
    add("from", sender.id);
    add("name", sender.name);
    data += "}]";
    return tx.publish(main_place, std::move(data));
}

/// A string, as the tutorial sends it, or a number.
std::optional<std::string> client_offset(std::string_view arg) {
    auto id = json::as_string(arg);
    if (!id && json::kind_of(arg) == json::Kind::number) id = std::string(arg);
    const bool usable = id && !id->empty() && id->size() <= client_offset_bytes_max;
    return usable ? id : std::nullopt;
}

Answer take_text(Tx& tx, const Message& message) {
    const auto& args = message.args;
    if (args.empty() || json::kind_of(args[0]) != json::Kind::string) {
        return reject("invalid_text", "the first argument must be the text");
    }
    const std::string_view text = args[0];
    if (text.size() > text_bytes_max) return reject("text_too_long", "the text is too long");
    // A message with a key is repeated by the protocol, not by us.
    const bool has_offset = message.key.empty() && args.size() > 1 && args[1] != "null";
    const auto publish = [&] { return publish_text(tx, message, text); };
    if (!has_offset) {
        const auto stored = publish();
        if (!stored) return Err{stored.error()};
        return stored_as(*stored);
    }
    const auto id = client_offset(args[1]);
    if (!id) return reject("invalid_client_offset", "must be a short string or a number");
    return api::insert_once(tx, message, *id, text, publish);
}

// ---- places -------------------------------------------------------------------------------------

bool is_place(std::string_view place) {
    return place == main_place || is_room(place) || is_person(place);
}

/// Keeps `event` for everybody who may read it; `id` of the answer is what it said it would be.
Answer publish_event(Tx& tx, const Sender& sender, const std::string& place, const char* name,
                     const Json& event) {
    const delivery::Offset id = tx.next_offset();
    const std::string data = text_of(Json::array({name, event}));
    const bool is_private = is_person(place);
    const auto published = tx.publish(is_private ? inbox_of(place) : place, data);
    if (!published) return Err{published.error()};
    const std::string own = std::string(user_prefix) + sender.id;
    if (is_private && place != own) {
        if (const auto copy = tx.publish(inbox_of(own), data); !copy) return Err{copy.error()};
    }
    return stored_as(id);
}

Json event_of(const Tx& tx, const Sender& sender, const std::string& place) {
    return {{"place", place}, {"at", tx.now().value}, {"from", sender.id}};
}

/// A text, a picture, or a picture with words under it.
struct Post {
    std::optional<std::string> text;
    std::optional<std::string> picture;  ///< its id
};

/// Why `picture` cannot stand in a message of `sender`; or what to answer, if it does already.
std::optional<Verdict> refuse_picture(const std::optional<KeptPicture>& picture,
                                      const Sender& sender) {
    if (!picture) return reject("no_picture", "this picture is not kept");
    if (picture->owner != sender.id) return reject("not_yours", "this is not your picture");
    if (picture->posted) return stored_as(*picture->posted);
    return std::nullopt;
}

Answer publish_post(Tx& tx, const Message& message, const Sender& sender, const std::string& place,
                    const Post& post) {
    const delivery::Offset id = tx.next_offset();
    Json event = event_of(tx, sender, place);
    event["id"] = id;
    event["name"] = sender.name;
    if (!message.key.empty()) event["key"] = message.key;
    if (post.text) event["text"] = *post.text;
    if (!post.picture) return publish_event(tx, sender, place, "post", event);
    const auto picture = find_picture(tx, *post.picture);
    if (!picture) return Err{picture.error()};
    if (auto refused = refuse_picture(*picture, sender)) return std::move(*refused);
    event["picture"] = *post.picture;
    event["width"] = (*picture)->width;
    event["height"] = (*picture)->height;
    const auto noted = note_posted(tx, *post.picture, place, id);
    if (!noted) return Err{noted.error()};
    return publish_event(tx, sender, place, "post", event);
}

Answer take_post(Tx& tx, const Message& message) {
    const Sender sender = decode_sender(message.sender);
    const auto place = string_at(message.args, 0);
    if (!place || !is_place(*place)) return refuse_unknown_place();
    if (sender.id.empty() && is_person(*place)) return refuse_guest();
    const auto body =
        message.args.size() > 1 ? api::decode_json(message.args[1], {}) : std::nullopt;
    Post post;
    if (body) post = {string_in(*body, "text"), string_in(*body, "picture")};
    if (!post.text && !post.picture) return reject("invalid_post", "a post is a text or a picture");
    if (message.args[1].size() > text_bytes_max) {
        return reject("text_too_long", "the text is too long");
    }
    if (post.picture && sender.id.empty()) return refuse_guest();
    if (post.picture && !is_picture_id(*post.picture)) {
        return reject("invalid_picture", "this is no picture");
    }
    return publish_post(tx, message, sender, *place, post);
}

// ---- changes ------------------------------------------------------------------------------------

using Rooms = std::vector<std::string>;

/// Which rooms of the log keep what is written to a place; of a person's two the second has it next.
Rooms rooms_of(const Sender& sender, const std::string& place) {
    if (!is_person(place)) return {place};
    const std::string own = inbox_of(sender.id);
    if (place == own) return {own};
    return {inbox_of(place), own};
}

/// Gives all copies of the event at `id` other data. One that retention has removed stays away.
Result<void, StoreError> rewrite(Tx& tx, const Rooms& rooms, delivery::Offset id,
                                 const Json& event) {
    const std::string data = text_of(event);
    for (const auto& room : rooms) {
        if (const auto done = tx.rewrite(room, id++, data); !done) return Err{done.error()};
    }
    return {};
}

/// The event of the log at `id`, if it is one of these and `sender` said it in `place`: ["chat message",
/// text, id, {…}], or [name, {…}].
Result<std::optional<Json>, StoreError> find_own(Tx& tx, const Sender& sender,
                                                 const std::string& place, delivery::Offset id,
                                                 std::initializer_list<const char*> names) {
    using Found = std::optional<Json>;
    const auto entry = tx.find(rooms_of(sender, place).front(), id);
    if (!entry) return Err{entry.error()};
    auto event = *entry ? api::decode_json((*entry)->data, {}) : std::nullopt;
    if (!event || !event->is_array() || event->size() < 2 || !event->front().is_string())
        return Found();
    const auto is_named = [&](const char* name) { return event->front() == name; };
    if (std::none_of(names.begin(), names.end(), is_named)) return Found();
    const Json& said = event->back();
    if (string_in(said, "from") != sender.id) return Found();
    // A copy in its author's own inbox says that it was written elsewhere.
    if (string_in(said, "place").value_or(place) != place) return Found();
    return event;
}

/// What a message says from now on: `text` (none: nothing, it is taken back), since the change at `change`.
void put_text(Json& message, const std::optional<std::string>& text, delivery::Offset change) {
    const bool is_text_message = message.front() == "chat message";
    if (is_text_message) message[1] = text.value_or("");
    Json& said = message.back();
    if (!is_text_message && text) said["text"] = *text;
    if (text) {
        said["edited"] = change;
        return;
    }
    for (const char* name : {"text", "picture", "width", "height", "edited"}) said.erase(name);
    said["gone"] = change;
}

/// The change before this one says nothing any more.
Result<void, StoreError> empty_change(Tx& tx, const Sender& sender, const std::string& place,
                                      delivery::Offset change) {
    auto event = find_own(tx, sender, place, change, {"edit"});
    if (!event) return Err{event.error()};
    if (!*event) return {};
    (*event)->back().erase("text");
    return rewrite(tx, rooms_of(sender, place), change, **event);
}

/// Puts a text in the place of what a message says, in the log and in the changes made before; none: takes
/// it back. `message`: as find_own() has it.
Answer change_message(Tx& tx, const Sender& sender, const std::string& place, delivery::Offset id,
                      Json message, const std::optional<std::string>& text) {
    const auto picture = string_in(message.back(), "picture");
    if (!text && picture && is_picture_id(*picture)) {
        const auto dropped = drop_picture(tx, *picture);
        if (!dropped) return Err{dropped.error()};
    }
    if (const auto before = offset_in(message.back(), "edited")) {
        const auto emptied = empty_change(tx, sender, place, *before);
        if (!emptied) return Err{emptied.error()};
    }
    put_text(message, text, tx.next_offset());
    const auto done = rewrite(tx, rooms_of(sender, place), id, message);
    if (!done) return Err{done.error()};
    Json event = event_of(tx, sender, place);
    event["id"] = id;
    event["text"] = text ? Json(*text) : Json();
    return publish_event(tx, sender, place, "edit", event);
}

Answer take_edit(Tx& tx, const Message& message) {
    const Sender sender = decode_sender(message.sender);
    const auto place = string_at(message.args, 0);
    const auto id = offset_at(message.args, 1);
    if (!place || !is_place(*place) || !id) return refuse_unknown_place();
    if (sender.id.empty()) return refuse_guest();
    const auto text = string_at(message.args, 2);
    const bool is_gone = message.args.size() > 2 && message.args[2] == "null";
    if (!text && !is_gone) return reject("invalid_text", "an edit is a text or null");
    if (text && message.args[2].size() > text_bytes_max) {
        return reject("text_too_long", "the text is too long");
    }
    auto original = find_own(tx, sender, *place, *id, {"chat message", "post"});
    if (!original) return Err{original.error()};
    if (!*original) return reject("not_yours", "only its author can change a message");
    if (const auto taken_back = offset_in((*original)->back(), "gone")) {
        if (is_gone) return stored_as(*taken_back);
        return reject("taken_back", "this message was taken back");
    }
    return change_message(tx, sender, *place, *id, std::move(**original), text);
}

/// "I have read what you wrote to me, up to here."
Answer take_receipt(Tx& tx, const Message& message) {
    const Sender sender = decode_sender(message.sender);
    const auto person = string_at(message.args, 0);
    const auto id = offset_at(message.args, 1);
    if (!person || !is_user_id(*person) || !id) return refuse_unknown_place();
    if (sender.id.empty()) return refuse_guest();
    const delivery::Offset stored = tx.next_offset();
    const Json event = {{"from", sender.id}, {"id", *id}};
    const auto published = tx.publish(inbox_of(*person), text_of(Json::array({"read", event})));
    if (!published) return Err{published.error()};
    return stored_as(stored);
}

Answer take_room(Tx& tx, const Message& message) {
    const auto name = string_at(message.args, 0);
    const auto clean = name ? clean_name(*name) : std::nullopt;
    if (!clean) return reject("invalid_name", "a room's name has 1 to 40 characters");
    const delivery::Offset id = tx.next_offset();
    const Json event = {{"name", *clean},
                        {"id", id},
                        {"at", tx.now().value},
                        {"from", decode_sender(message.sender).id}};
    const auto published = tx.publish(lobby, text_of(Json::array({"room opened", event})));
    if (!published) return Err{published.error()};
    return stored_as(id);
}

}  // namespace

std::string inbox_of(std::string_view user) {
    const bool has_prefix = user.starts_with(user_prefix);
    return has_prefix ? std::string(user) : std::string(user_prefix) + std::string(user);
}

void install_messages(api::Application& application) {
    application.on_durable("chat message", take_text);
    application.on_durable("post", take_post);
    application.on_durable("edit", take_edit);
    application.on_durable("read", take_receipt);
    application.on_durable("open room", take_room);
}

}  // namespace oncewire::chat
