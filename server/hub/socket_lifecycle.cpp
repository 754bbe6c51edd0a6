#include "server/hub/socket_lifecycle.hpp"

#include <utility>

#include "shared/base/base64.hpp"
#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::hub {
namespace {

constexpr std::size_t sid_bytes = 15;  // 20 characters, 120 bits

/// The room of everybody in a namespace; sockets join it when they are connected.
constexpr std::string_view everybody;

/// Unmodified clients have two ways to read an answer: callbacks and `retries` look for an error first,
/// emitWithAck() hands on the first argument and nothing else. Nothing on the wire tells them apart, so
/// whoever uses the second says so in its auth.
bool wants_values(std::string_view auth) {
    const auto wanted = json::member(auth, "oncewire:acks");
    return wanted && json::is_text(*wanted, "value");
}

}  // namespace

// ---- asked --------------------------------------------------------------------------------------

void SocketLifecycle::handle(ConnectionId id, const peer::ConnectRequested& request) {
    Connection& connection = *uses_.connections.known(id);
    const char* refusal = why_no_connect(connection, request);
    if (!refusal) return ask_application(id, request);
    connection.peer->reject(request.index, refusal);
}

/// Each costs the application and all who hear of newcomers more than it costs the peer. None: go on.
const char* SocketLifecycle::why_no_connect(Connection& connection,
                                            const peer::ConnectRequested& request) {
    if (request.auth.size() > limits::auth_bytes)
        return R"({"message":"auth is too large","data":{"code":"auth_too_large"}})";
    if (!uses_.connections.pay_for_connect(connection))
        return R"({"message":"too many connects, wait a while","data":{"code":"too_many"}})";
    return nullptr;
}

void SocketLifecycle::ask_application(ConnectionId id, const peer::ConnectRequested& request) {
    const SocketId socket_id =
        uses_.sockets.add(id, request.index, base64::encode_url(uses_.secrets.take(sid_bytes)));
    Socket& socket = *uses_.sockets.known(socket_id);
    Arrival& arrival = arrivals_[socket_id];
    arrival.capability = peer::find_client_capability(request.auth);
    if (const auto& said = arrival.capability)
        socket.lane = {said->producer.id, 0, said->answers, said->links, said->renumbered};
    socket.wants_values = wants_values(request.auth);
    uses_.recovery.note_claim(socket_id, request.auth);
    uses_.turn.outputs.push_back(ConnectAsked{socket_id, request.nsp, request.auth});
}

void SocketLifecycle::accept(SocketId id, SocketCalls::AcceptOptions options) {
    Socket* socket = uses_.sockets.find(id);
    if (!socket || socket->state != Socket::State::asked) return;
    Arrival& arrival = arrivals_.at(id);
    arrival.replay_after = options.replay_after;
    const auto nsp = uses_.sockets.namespace_of(*socket);
    for (const auto& room : options.rooms) uses_.audience.place(id, store::log_room(nsp, room));
    if (!arrival.capability) {
        if (!uses_.options.server.connection_state_recovery)
            return finish_accept(id, nullptr, nullptr);
        return uses_.recovery.open(id, *socket, std::move(options.user), arrival.replay_after);
    }
    socket->state = Socket::State::attaching;
    uses_.turn.outputs.push_back(
        ToStore{mail::Attach{uses_.sockets.ref(id), arrival.capability->producer,
                             std::move(options.user), arrival.capability->first}});
}

void SocketLifecycle::reject(SocketId id, std::string_view error_json) {
    Socket* socket = uses_.sockets.find(id);
    if (!socket || socket->state == Socket::State::connected) return;
    const ConnectionId connection = socket->connection;
    uses_.connections.find(connection)->peer->reject(socket->index, error_json);
    end(id, socketio::DisconnectReason::server_namespace_disconnect);
    uses_.pump.pump(connection);
}

void SocketLifecycle::handle(const mail::Attached& attached) {
    const Socket* socket = uses_.sockets.find(attached.to.session);
    if (socket && socket->lane && socket->state == Socket::State::attaching)
        finish_accept(attached.to.session, &attached, nullptr);
}

void SocketLifecycle::handle(const mail::AttachRefused& refused) {
    reject(refused.to.session,
           R"({"message":"this outbox belongs to somebody else","data":{"code":)" +
               json::quoted(refused.reason) + "}}");
}

void SocketLifecycle::handle(const mail::SessionOpened& opened) {
    Socket* socket = uses_.sockets.find(opened.to.session);
    if (!socket || socket->state != Socket::State::attaching) return;
    socket->is_recoverable = !opened.pid.empty();
    if (opened.is_resumed) return resume(opened.to.session, *socket, opened);
    finish_accept(opened.to.session, nullptr, &opened);
}

// ---- connected ----------------------------------------------------------------------------------

/// CONNECT is answered; from here on the socket reads the log from where it stands.
void SocketLifecycle::finish_accept(SocketId id, const mail::Attached* attached,
                                    const mail::SessionOpened* opened) {
    Socket& socket = *uses_.sockets.find(id);
    const bool replays = begin_reading(socket, arrivals_.extract(id).mapped());
    std::optional<peer::ServerCapability> capability;
    if (attached) {
        const auto& log = uses_.readers.log();
        socket.lane->epoch = attached->epoch;
        capability = {attached->epoch,
                      attached->seen,
                      {log.head.epoch, socket.log.sent},
                      limits::window,
                      log.message_bytes_max,
                      store::durability_text(log.durability),
                      true,
                      true};
    }
    socket.state = Socket::State::connected;
    const auto nsp = uses_.sockets.namespace_of(socket);
    uses_.audience.place(id, store::log_room(nsp, everybody));
    uses_.audience.place(id, store::log_room(nsp, socket.sid));
    const auto answer = opened
                            ? peer::encode_session_answer(socket.sid, opened->pid, opened->reason)
                            : peer::encode_connect_answer(socket.sid, capability);
    uses_.turn.outputs.push_back(SocketConnected{id});
    if (socket.is_recoverable) {
        socket.is_held = true;
        uses_.held.hold(id, answer);
    } else {
        uses_.connections.find(socket.connection)->peer->accept(socket.index, answer);
        uses_.pump.pump(socket.connection);
    }
    if (!replays) return uses_.readers.go_live(socket);
    uses_.readers.start_later(id);
}

/// True: it has something to read first.
bool SocketLifecycle::begin_reading(Socket& socket, const Arrival& arrival) {
    const auto& head = uses_.readers.log().head;
    const auto asked = arrival.capability ? arrival.capability->position : std::nullopt;
    const bool continues = asked && asked->epoch == head.epoch;
    const bool replays = continues || asked || arrival.replay_after;
    socket.log.sent = continues ? asked->offset
                      : replays ? arrival.replay_after.value_or(0)
                                : head.offset;
    return replays;
}

/// What it missed comes after CONNECT. The original's server sends it before, and its client keeps what
/// comes before CONNECT when the link ends there, asks for it again, and shows it twice.
void SocketLifecycle::resume(SocketId id, Socket& socket, const mail::SessionOpened& opened) {
    arrivals_.erase(id);
    socket.is_resumed = true;
    socket.state = Socket::State::connected;
    socket.sid = opened.sid;
    for (const auto& room : opened.rooms) uses_.audience.place(id, room);
    socket.log.sent = opened.position.offset;
    ++uses_.turn.counts.sessions_resumed;
    const ConnectionId connection = socket.connection;
    uses_.connections.find(connection)
        ->peer->accept(socket.index, peer::encode_session_answer(socket.sid, opened.pid, {}));
    uses_.turn.outputs.push_back(SocketConnected{id, true});
    uses_.readers.start(id, socket);
    uses_.pump.pump(connection);
}

void SocketLifecycle::answer_new_connects() {
    for (const SocketId id : uses_.held.take_new()) {
        const auto* held = uses_.held.find(id);
        if (!held) continue;
        if (!held->has_new_rooms) {
            answer_connect(id);
            continue;
        }
        uses_.barrier.note_sent();
        uses_.turn.outputs.push_back(
            ToStore{mail::Relay{uses_.options.core, nullptr, std::nullopt}});
        uses_.barrier.defer(AnswerConnect{id});
    }
}

void SocketLifecycle::answer_connect(SocketId id) {
    const auto held = uses_.held.take(id);
    if (!held) return;
    Socket& socket = *uses_.sockets.known(id);
    socket.is_held = false;
    const ConnectionId to = socket.connection;
    Connection* connection = uses_.connections.find(to);
    if (!connection) return;
    connection->peer->accept(socket.index, held->answer);
    uses_.pump.pump(to);
    connection = uses_.connections.find(to);
    if (!connection) return;  // the answer was one word too many
    for (const auto& frame : held->frames) uses_.connections.enqueue(*connection, to, frame);
}

// ---- over ---------------------------------------------------------------------------------------

void SocketLifecycle::disconnect(SocketId id, bool close_connection) {
    Socket* socket = uses_.sockets.find(id);
    if (!socket || socket->state != Socket::State::connected) return;
    answer_connect(id);
    Connection* connection = uses_.connections.find(socket->connection);
    if (!connection) return;  // the answer was one word too many
    connection->peer->disconnect(socket->index);
    if (close_connection)
        connection->peer->close(socketio::DisconnectReason::server_namespace_disconnect);
    uses_.pump.pump(socket->connection);
}

void SocketLifecycle::cut(SocketId id) {
    const Socket* socket = uses_.sockets.find(id);
    if (!socket) return;
    const ConnectionId connection = socket->connection;
    uses_.connections.find(connection)->peer->close(socketio::DisconnectReason::forced_close);
    uses_.pump.pump(connection);
}

void SocketLifecycle::end(SocketId id, socketio::DisconnectReason reason) {
    Socket* socket = uses_.sockets.known(id);
    if (!socket) return;
    auto& outputs = uses_.turn.outputs;
    const bool is_attached = socket->lane && socket->state != Socket::State::asked;
    if (uses_.submissions.drop_lookups(id, *socket) || is_attached)
        outputs.push_back(ToStore{mail::Detach{uses_.sockets.ref(id)}});
    uses_.recovery.end(id, *socket, reason);
    const bool was_connected = socket->state == Socket::State::connected;
    for (const auto ack_id : uses_.acks.abandon(id))
        outputs.push_back(AcksFinished{ack_id, AcksFinished::Why::disconnected});
    const ConnectionId connection = socket->connection;
    uses_.readers.stop(*socket);
    auto rooms = uses_.audience.rooms_of(id);
    uses_.barrier.add_deferred_rooms(id, rooms);
    outputs.push_back(SocketGone{id, reason, std::move(rooms), was_connected});
    uses_.audience.leave_all(id);
    uses_.held.take(id);
    arrivals_.erase(id);
    uses_.sockets.remove(id);
    uses_.readers.resume(*uses_.connections.known(connection));
}

}  // namespace oncewire::hub
