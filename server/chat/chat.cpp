// Who comes in, what they hear, and what is said without being stored.
#include "server/chat/chat.hpp"

#include <memory>
#include <utility>

#include "server/chat/history.hpp"
#include "server/chat/limiter.hpp"
#include "server/chat/messages.hpp"
#include "server/chat/people.hpp"
#include "server/chat/pictures.hpp"

namespace oncewire::chat {
namespace {

using api::Ack;
using api::Json;
using api::Socket;

void echo(api::JsonText value, const api::Event& event, Ack ack) {
    ack(api::Arguments{'[' + value.text + ']', event.attachments});
}

Json refusal(const char* code, const char* message) {
    return {{"error", code}, {"message", message}};
}

/// Empty for this machine, as in Sender.
std::string address_of(const Socket& socket) {
    const std::string address = socket.handshake().address;
    const bool is_loopback =
        address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
    return is_loopback ? "" : address;
}

/// The sessions of one core.
class Chat {
  public:
    Chat(api::Application& application, Options options)
        : application_(application),
          options_(std::move(options)),
          people_(application, options_.grace),
          signals_(options_.signals) {}

    std::optional<api::Refusal> enter(const Socket& socket);
    void greet(const Socket& socket);
    void leave(const Socket& socket);
    void enter_room(const Socket& socket, const std::string& place, const Ack& ack);
    void rename(const Socket& socket, const std::string& wanted, const Ack& ack);
    void renew(const Socket& socket, const std::string& token, const Ack& ack) const;
    void tell_typing(const Socket& socket, const std::string& place);

  private:
    /// Why this session may tell the others nothing more for now; none: it may.
    std::optional<Json> refuse_signal(const Socket& socket);
    void join_places(const Socket& socket, const Json& auth, const std::string& id) const;
    void expire_later(const Socket& socket, std::optional<UnixMillis> when) const;

    static std::string id_of(const Socket& socket) {
        return string_in(socket.data(), "id").value_or("");
    }

    api::Application& application_;
    Options options_;
    People people_;
    Allowance signals_;
};

std::optional<api::Refusal> Chat::enter(const Socket& socket) {
    const auto handshake = socket.handshake();
    const auto user = options_.identify(handshake.auth, application_.wall_clock());
    if (!user) return user.error();
    socket.data() = {{"id", user->id}, {"name", user->name}, {"fixed", !user->may_rename}};
    socket.identify(user->id);
    socket.introduce(encode(Sender{user->id, user->name, address_of(socket)}));
    join_places(socket, handshake.auth, user->id);
    if (user->expires) socket.data()["expires"] = user->expires->value;
    // Whatever is no offset counts as none, as in the tutorial: better everything than nothing.
    const auto offset = offset_in(handshake.auth, "serverOffset");
    if (!handshake.auth_value<bool>("live").value_or(false)) {
        socket.replay_after(offset.value_or(0));
    }
    return api::allow();
}

void Chat::join_places(const Socket& socket, const Json& auth, const std::string& id) const {
    socket.join(main_place);
    if (const auto live = auth.find("live"); live != auth.end() && *live == true)
        socket.join(lobby);
    if (!id.empty()) socket.join(inbox_of(id));
    const auto rooms = auth.find("rooms");
    if (rooms == auth.end() || !rooms->is_array()) return;
    std::size_t joined = 0;
    for (const auto& room : *rooms) {
        if (!room.is_string() || !is_room(room.get_ref<const std::string&>())) continue;
        if (++joined > rooms_max) return;
        socket.join(room.get_ref<const std::string&>());
    }
}

void Chat::greet(const Socket& socket) {
    const User user{id_of(socket), string_in(socket.data(), "name").value_or("")};
    if (const auto expires = socket.data().find("expires"); expires != socket.data().end()) {
        expire_later(socket, UnixMillis{expires->get<std::int64_t>()});
    }
    if (user.id.empty()) return;
    people_.enter(user);
    socket.emit("people", people_.list());
    socket.emit("you", Json{{"id", user.id}, {"name", user.name}});
}

void Chat::leave(const Socket& socket) {
    if (const std::string id = id_of(socket); !id.empty()) people_.leave(id);
}

std::optional<Json> Chat::refuse_signal(const Socket& socket) {
    const Sender sender{id_of(socket), "", address_of(socket)};
    const char* code = signals_.refuse(sender, application_.wall_clock());
    if (!code) return std::nullopt;
    return refusal(code, "that was a lot at once; wait a moment");
}

void Chat::enter_room(const Socket& socket, const std::string& place, const Ack& ack) {
    if (const auto refused = refuse_signal(socket)) return ack(*refused);
    if (!is_room(place)) return ack(refusal("invalid_place", "there is no such room"));
    std::size_t rooms = 0;
    for (const auto& room : socket.rooms()) rooms += is_room(room) ? 1 : 0;
    if (rooms >= rooms_max) return ack(refusal("too_many_rooms", "leave a room first"));
    socket.join(place);
    ack(nullptr);
}

void Chat::rename(const Socket& socket, const std::string& wanted, const Ack& ack) {
    if (const auto refused = refuse_signal(socket)) return ack(*refused);
    const auto name = clean_name(wanted);
    const std::string id = id_of(socket);
    if (!name) return ack(refusal("invalid_name", "a name has 1 to 40 characters"));
    if (id.empty() || socket.data()["fixed"] == true) {
        return ack(refusal("fixed_name", "your name comes from where you signed in"));
    }
    socket.data()["name"] = *name;
    socket.introduce(encode(Sender{id, *name, address_of(socket)}));
    people_.rename(id, *name);
    ack(nullptr, *name);
}

/// In-band: a fresh token keeps the session; another user's does not get in this way.
void Chat::renew(const Socket& socket, const std::string& token, const Ack& ack) const {
    const auto user = options_.identify({{"token", token}}, application_.wall_clock());
    if (!user || user->id != id_of(socket)) {
        return ack(refusal("invalid_token", "this token is not valid for you"));
    }
    if (user->expires) {
        socket.data()["expires"] = user->expires->value;
        expire_later(socket, user->expires);
    }
    ack(nullptr);
}

void Chat::expire_later(const Socket& socket, std::optional<UnixMillis> when) const {
    const Millis left{std::max<std::int64_t>(when->value - application_.wall_clock().value, 0)};
    application_.after(left, [socket, when] {
        const auto expires = socket.data().find("expires");
        if (expires == socket.data().end() || *expires != when->value) return;
        socket.emit("expired");
        socket.disconnect();
    });
}

/// Whoever writes to a person is writing in their inbox; everybody else is in the room.
void Chat::tell_typing(const Socket& socket, const std::string& place) {
    const std::string id = id_of(socket);
    if (id.empty()) return;
    if (const auto refused = refuse_signal(socket)) {
        return socket.volatile_().emit("refused", *refused);
    }
    const Json who = {{"id", id}, {"name", string_in(socket.data(), "name").value_or("")}};
    if (is_person(place)) {
        socket.to(inbox_of(place)).volatile_().emit("typing", inbox_of(id), who);
    } else if (place == main_place) {
        socket.to(lobby).volatile_().emit("typing", place, who);
    } else if (is_room(place)) {
        socket.to(place).volatile_().emit("typing", place, who);
    }
}

}  // namespace

void install_with(api::Application& application, Options options) {
    install_messages(application, options);
    install_history(application, options);
    install_pictures(application, options);
    const auto chat = std::make_shared<Chat>(application, std::move(options));
    application.use([chat](Socket socket) { return chat->enter(socket); });
    application.on_connection([chat](Socket socket) { chat->greet(socket); });
    application.on("disconnect", [chat](Socket socket) { chat->leave(socket); });
    application.on("enter", [chat](Socket socket, std::string place, Ack ack) {
        chat->enter_room(socket, place, ack);
    });
    application.on("leave", [](Socket socket, std::string place) {
        if (is_room(place)) socket.leave(place);
    });
    application.on("rename", [chat](Socket socket, std::string name, Ack ack) {
        chat->rename(socket, name, ack);
    });
    application.on("token", [chat](Socket socket, std::string token, Ack ack) {
        chat->renew(socket, token, ack);
    });
    application.on("typing",
                   [chat](Socket socket, std::string place) { chat->tell_typing(socket, place); });
    application.on("echo", echo);
}

void install(api::Application& application) { install_with(application, Options()); }

}  // namespace oncewire::chat
