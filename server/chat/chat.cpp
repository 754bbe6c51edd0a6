// Who comes in, what they hear, and what is said without being stored.
#include "server/chat/chat.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/chat/admission.hpp"
#include "server/chat/attendance.hpp"
#include "server/chat/history.hpp"
#include "server/chat/limiter.hpp"
#include "server/chat/messages.hpp"
#include "server/chat/people.hpp"
#include "server/chat/pictures.hpp"
#include "server/chat/session_watch.hpp"

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

std::string network_of(const Socket& socket) { return socket.handshake().network; }

/// 5: what a CONNECT under a name that is not here counts as; others hear of each such name.
constexpr std::uint32_t newcomer_cost = 5;
/// 4,096 bytes: what a list of people may have for the price of one CONNECT.
constexpr std::size_t list_bytes_charged = 4096;

api::Refusal refuse_crowd() {
    return api::refuse("too many connections from your network at once; wait a moment",
                       Json{{"code", "too_fast_here"}});
}

/// The sessions of one core.
class Chat {
  public:
    Chat(api::Application& application, Options options)
        : application_(application),
          options_(std::move(options)),
          people_(application, options_.grace),
          watch_(application, options_.is_revoked),
          connects_(options_.connects_of_network),
          signals_(options_.signals) {}

    std::optional<api::Refusal> enter(const Socket& socket);
    void greet(const Socket& socket);
    void leave(const Socket& socket);
    void enter_room(const Socket& socket, const std::string& place, const Ack& ack);
    void rename(const Socket& socket, const std::string& wanted, const Ack& ack);
    void renew(const Socket& socket, const std::string& token, const Ack& ack);
    void tell_typing(const Socket& socket, const std::string& place);
    void set_here(const Socket& socket, bool is_here);
    void leave_room(const Socket& socket, const std::string& place);
    void tell_who(const Socket& socket, const std::string& place, const Ack& ack);
    const Attendance& attendance() const { return attendance_; }

  private:
    /// Why this session may tell the others nothing more for now; none: it may.
    std::optional<Json> refuse_signal(const Socket& socket);
    void join_places(const Socket& socket, const Json& auth, const std::string& id) const;
    void send_list(const Socket& socket);
    void come(const Socket& socket);
    void go(const Socket& socket);
    static bool is_here(const Socket& socket) { return socket.data()["here"] == true; }
    static std::vector<std::string> rooms_of(const Socket& socket);

    static std::string id_of(const Socket& socket) {
        return string_in(socket.data(), "id").value_or("");
    }

    api::Application& application_;
    Options options_;
    People people_;
    Attendance attendance_;
    SessionWatch watch_;
    Limiter connects_;
    Allowance signals_;
};

std::vector<std::string> Chat::rooms_of(const Socket& socket) {
    auto rooms = socket.rooms();
    std::erase_if(rooms, [](const std::string& room) { return !is_room(room); });
    return rooms;
}

/// Charged before anybody looks at a signature.
std::optional<api::Refusal> Chat::enter(const Socket& socket) {
    const auto handshake = socket.handshake();
    const UnixMillis now = application_.wall_clock();
    if (!connects_.take(handshake.network, now)) return refuse_crowd();
    const auto user = options_.identify(handshake.auth, now);
    if (!user) return user.error();
    const bool is_newcomer = !user->id.empty() && !people_.knows(user->id);
    if (is_newcomer && !connects_.take(handshake.network, now, newcomer_cost - 1)) {
        return refuse_crowd();
    }
    socket.data() = {{"id", user->id}, {"name", user->name}, {"fixed", !user->may_rename}};
    socket.data()["credential"] = user->credential;
    if (user->expires) socket.data()["expires"] = user->expires->value;
    socket.identify(user->id);
    socket.introduce(encode(Sender{user->id, user->name, handshake.network}));
    join_places(socket, handshake.auth, user->id);
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
    User user{id_of(socket), string_in(socket.data(), "name").value_or("")};
    user.credential = string_in(socket.data(), "credential").value_or("");
    if (const auto expires = socket.data().find("expires"); expires != socket.data().end()) {
        user.expires = UnixMillis{expires->get<std::int64_t>()};
    }
    watch_.watch(socket, user);
    if (user.id.empty()) return;
    if (socket.handshake().auth_value<bool>("away") != true) come(socket);
    send_list(socket);
    socket.emit("you", Json{{"id", user.id}, {"name", user.name}});
}

/// Paid for by its size, so that coming again and again to hear it ends some day. Not recorded for whoever is away,
/// because who comes back is told anew.
void Chat::send_list(const Socket& socket) {
    const Json list = people_.list();
    const auto cost = static_cast<std::uint32_t>(text_of(list).size() / list_bytes_charged);
    connects_.charge(network_of(socket), application_.wall_clock(), cost);
    application_.local().to(socket.id()).emit("people", list);
}

void Chat::leave(const Socket& socket) {
    watch_.leave(socket);
    go(socket);
}

// ---- who is here --------------------------------------------------------------------------------

/// Counted as here from now on, in its rooms too.
void Chat::come(const Socket& socket) {
    const std::string id = id_of(socket);
    if (id.empty() || is_here(socket)) return;
    socket.data()["here"] = true;
    people_.enter({id, string_in(socket.data(), "name").value_or("")});
    for (const auto& room : rooms_of(socket)) attendance_.add(room, id);
}

void Chat::go(const Socket& socket) {
    if (!is_here(socket)) return;
    const std::string id = id_of(socket);
    socket.data()["here"] = false;
    people_.leave(id);
    for (const auto& room : rooms_of(socket)) attendance_.remove(room, id);
}

/// Somebody whose page is open, and who is not there.
void Chat::set_here(const Socket& socket, bool is_here) {
    if (const auto refused = refuse_signal(socket)) {
        return socket.volatile_().emit("refused", *refused);
    }
    is_here ? come(socket) : go(socket);
}

void Chat::leave_room(const Socket& socket, const std::string& place) {
    const auto rooms = rooms_of(socket);
    if (std::find(rooms.begin(), rooms.end(), place) == rooms.end()) return;
    if (is_here(socket)) attendance_.remove(place, id_of(socket));
    socket.leave(place);
}

/// Whoever hears a room may know who else does.
void Chat::tell_who(const Socket& socket, const std::string& place, const Ack& ack) {
    if (const auto refused = refuse_signal(socket)) return ack(*refused);
    const auto rooms = rooms_of(socket);
    if (std::find(rooms.begin(), rooms.end(), place) == rooms.end()) {
        return ack(refusal("invalid_place", "enter it first"));
    }
    application_.server_side_emit_with_ack(
        "who is in", place, [own = attendance_.in(place), ack](const api::ServerSideAcks& others) {
            std::vector<Json> lists{own};
            for (const auto& answer : others.answers) {
                if (auto list = answer.get<Json>(0)) lists.push_back(std::move(*list));
            }
            ack(nullptr, merged(lists));
        });
}

std::optional<Json> Chat::refuse_signal(const Socket& socket) {
    const Sender sender{id_of(socket), "", network_of(socket)};
    const char* code = signals_.refuse(sender, application_.wall_clock());
    if (!code) return std::nullopt;
    return refusal(code, "that was a lot at once; wait a moment");
}

void Chat::enter_room(const Socket& socket, const std::string& place, const Ack& ack) {
    if (const auto refused = refuse_signal(socket)) return ack(*refused);
    if (!is_room(place)) return ack(refusal("invalid_place", "there is no such room"));
    const auto rooms = rooms_of(socket);
    if (std::find(rooms.begin(), rooms.end(), place) != rooms.end()) return ack(nullptr);
    if (rooms.size() >= rooms_max) return ack(refusal("too_many_rooms", "leave a room first"));
    if (is_here(socket)) attendance_.add(place, id_of(socket));
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
    socket.introduce(encode(Sender{id, *name, network_of(socket)}));
    people_.rename(id, *name);
    ack(nullptr, *name);
}

/// In-band: a fresh token keeps the session; another user's does not get in this way.
void Chat::renew(const Socket& socket, const std::string& token, const Ack& ack) {
    if (const auto refused = refuse_signal(socket)) return ack(*refused);
    const auto user = options_.identify({{"token", token}}, application_.wall_clock());
    if (!user || user->id != id_of(socket)) {
        return ack(refusal("invalid_token", "this token is not valid for you"));
    }
    watch_.watch(socket, *user);
    ack(nullptr);
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
    install_admission(application, options);
    install_messages(application);
    install_history(application, options);
    install_pictures(application, options);
    const auto chat = std::make_shared<Chat>(application, std::move(options));
    application.use([chat](Socket socket) { return chat->enter(socket); });
    application.on_connection([chat](Socket socket) { chat->greet(socket); });
    application.on("disconnecting", [chat](Socket socket) { chat->leave(socket); });
    application.on("enter", [chat](Socket socket, std::string place, Ack ack) {
        chat->enter_room(socket, place, ack);
    });
    application.on("leave",
                   [chat](Socket socket, std::string place) { chat->leave_room(socket, place); });
    application.on("here",
                   [chat](Socket socket, bool is_here) { chat->set_here(socket, is_here); });
    application.on("who", [chat](Socket socket, std::string place, Ack ack) {
        chat->tell_who(socket, place, ack);
    });
    application.on_server_side(
        "who is in", [chat](std::string place, Ack ack) { ack(chat->attendance().in(place)); });
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
