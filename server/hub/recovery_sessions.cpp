#include "server/hub/recovery_sessions.hpp"

#include <utility>

#include "shared/base/base64.hpp"
#include "shared/base/json.hpp"

namespace oncewire::hub {
namespace {

/// 24 characters, 144 bits: whoever knows it gets what was missed, if nobody asks who they are.
constexpr std::size_t pid_bytes = 18;

}  // namespace

void RecoverySessions::note_claim(SocketId id, std::string_view auth) {
    if (!options_.server.connection_state_recovery) return;
    Claim claim{base64::encode_url(secrets_.take(pid_bytes)), std::nullopt};
    const auto pid = json::member(auth, "pid");
    if (const auto text = pid ? json::as_string(*pid) : std::nullopt) {
        claim.earlier = {*text, std::nullopt};
        if (const auto offset = json::member(auth, "offset"))
            claim.earlier->offset = json::as_string(*offset).value_or("");
    }
    claims_.emplace(id, std::move(claim));
}

void RecoverySessions::open(SocketId id, Socket& socket, std::string user,
                            std::optional<delivery::Offset> reads_after) {
    socket.state = Socket::State::attaching;
    auto claim = std::move(claims_.extract(id).mapped());
    mail::OpenSession open;
    open.from = sockets_.ref(id);
    open.nsp = sockets_.namespace_of(socket);
    open.user = std::move(user);
    open.rooms = audience_.rooms().rooms_of(id);
    open.rooms.push_back(store::log_room(open.nsp, ""));
    open.rooms.push_back(store::log_room(open.nsp, socket.sid));
    open.sid = socket.sid;
    open.pid = std::move(claim.pid);
    open.reads_after = reads_after;
    open.claim = std::move(claim.earlier);
    turn_.outputs.push_back(ToStore{std::move(open)});
}

void RecoverySessions::note_room(SocketId id, std::string_view room, bool joined,
                                 std::uint64_t command) {
    if (!options_.server.connection_state_recovery) return;
    const Socket* socket = sockets_.find(id);
    if (!socket || socket->lane || socket->state == Socket::State::asked) return;
    std::string log_room = store::log_room(sockets_.namespace_of(*socket), room);
    held_.note_room(id);
    turn_.outputs.push_back(
        ToStore{mail::ChangeRooms{sockets_.ref(id), std::move(log_room), joined, command}});
}

void RecoverySessions::end(SocketId id, const Socket& socket, socketio::DisconnectReason reason) {
    claims_.erase(id);
    if (!options_.server.connection_state_recovery || socket.lane ||
        socket.state == Socket::State::asked)
        return;
    const bool is_final = reason == socketio::DisconnectReason::client_namespace_disconnect ||
                          reason == socketio::DisconnectReason::server_namespace_disconnect;
    turn_.outputs.push_back(ToStore{mail::EndSession{sockets_.ref(id), is_final}});
}

}  // namespace oncewire::hub
