// Namespace sessions of a Hub, and what the application may do with them.
#include <algorithm>

#include "server/hub/parts.hpp"
#include "shared/base/base64.hpp"
#include "shared/base/json.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {
namespace {

constexpr std::size_t sid_bytes = 15;  // 20 characters, 120 bits

/// 100: holes, and so on, that one session is believed to have noticed.
constexpr std::uint32_t noticed_max = 100;

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

// ---- application --------------------------------------------------------------------------------

void Parts::accept(SocketId id, AcceptOptions options, Instant now) {
    now_ = now;
    Socket* socket = find_socket(id);
    if (!socket || socket->state != SocketState::asked) return;
    socket->replay_after = options.replay_after;
    const auto nsp = namespace_of(*socket);
    for (const auto& room : options.rooms) rooms_.join(id, store::log_room(nsp, room));
    if (!socket->capability) {
        if (options_.recovery) return open_session(id, *socket, std::move(options.user));
        return finish_accept(id, nullptr, nullptr);
    }
    socket->state = SocketState::attaching;
    outputs_.push_back(ToStore{mail::Attach{session_ref(id), socket->capability->producer,
                                            std::move(options.user), socket->capability->first}});
}

void Parts::reject(SocketId id, std::string_view error_json, Instant now) {
    now_ = now;
    Socket* socket = find_socket(id);
    if (!socket || socket->state == SocketState::connected) return;
    const ConnectionId connection = socket->connection;
    find_connection(connection)->peer->reject(socket->index, error_json);
    end_socket(id, socketio::DisconnectReason::server_namespace_disconnect);
    pump(connection, now);
}

void Parts::join(SocketId id, std::string_view room) {
    const Socket* socket = find_socket(id);
    if (!socket) return;
    auto name = store::log_room(namespace_of(*socket), room);
    note_room(id, room, true);
    if (!must_wait()) return void(enter(id, name));
    defer([this, id, name = std::move(name)] { enter(id, name); });
    deferred_.back().socket = id;
    deferred_.back().room = room;
    deferred_.back().joins = true;
}

/// False: it is gone, or was in there already.
bool Parts::enter(SocketId id, std::string_view log_room) {
    Socket* socket = find_socket(id);
    if (!socket || !rooms_.join(id, log_room)) return false;
    socket->has_new_rooms = true;
    return true;
}

void Parts::introduce(SocketId id, std::string sender) {
    if (Socket* socket = find_socket(id)) socket->sender = std::move(sender);
}

void Parts::leave(SocketId id, std::string_view room) {
    const Socket* socket = find_socket(id);
    if (!socket) return;
    auto name = store::log_room(namespace_of(*socket), room);
    note_room(id, room, false);
    if (!must_wait()) return void(rooms_.leave(id, name));
    defer([this, id, name = std::move(name)] { rooms_.leave(id, name); });
    deferred_.back().socket = id;
    deferred_.back().room = room;
}

void Parts::emit(SocketId id, std::string_view data, const std::vector<std::string>& attachments) {
    const Socket* socket = find_socket(id);
    if (!socket || socket->state != SocketState::connected) return;
    if (socket->is_recoverable) {
        const std::string nsp(namespace_of(*socket));
        return record({{nsp, {socket->sid}, {}}, std::string(data), attachments}, true);
    }
    if (!must_wait()) return send_event(id, data, attachments);
    defer([this, id, data = std::string(data), attachments] { send_event(id, data, attachments); });
}

void Parts::send_event(SocketId id, std::string_view data,
                       const std::vector<std::string>& attachments) {
    const Socket* socket = find_socket(id);
    if (!socket || socket->state != SocketState::connected) return;
    queue_packet(*socket, {socketio::PacketType::event, std::string(namespace_of(*socket)),
                           std::nullopt, std::string(data), attachments});
}

void Parts::acknowledge(SocketId id, socketio::AckId ack_id, std::string_view data,
                        const std::vector<std::string>& attachments) {
    if (!must_wait()) return send_ack(id, ack_id, data, attachments);
    defer([this, id, ack_id, data = std::string(data), attachments] {
        send_ack(id, ack_id, data, attachments);
    });
}

void Parts::send_ack(SocketId id, socketio::AckId ack_id, std::string_view data,
                     const std::vector<std::string>& attachments) {
    const Socket* socket = find_socket(id);
    if (!socket || socket->state != SocketState::connected) return;
    queue_packet(*socket, {socketio::PacketType::ack, std::string(namespace_of(*socket)), ack_id,
                           std::string(data), attachments});
}

void Parts::disconnect(SocketId id, bool close_connection, Instant now) {
    now_ = now;
    if (!must_wait()) return disconnect_now(id, close_connection);
    defer([this, id, close_connection] { disconnect_now(id, close_connection); });
}

void Parts::disconnect_now(SocketId id, bool close_connection) {
    Socket* socket = find_socket(id);
    if (!socket) return;
    if (socket->state != SocketState::connected) return;
    greet(id);
    Connection* connection = find_connection(socket->connection);
    if (!connection) return;  // the greeting was one word too many
    connection->peer->disconnect(socket->index);
    if (close_connection) {
        connection->peer->close(socketio::DisconnectReason::server_namespace_disconnect);
    }
    pump(socket->connection, now_);
}

std::uint64_t Parts::submit(SocketId id, std::string_view data) {
    const std::uint64_t number = ++newest_submission_;
    if (Socket* socket = find_socket(id)) {
        mail::Submit submit{
            session_ref(id), std::string(namespace_of(*socket)), std::string(data), socket->sid,
            std::nullopt,    first_submission + number,          socket->sender,    true,
            producer_of(id)};
        if (is_lookup(data)) {
            look_up(socket->connection, std::move(submit));
        } else {
            outputs_.push_back(ToStore{std::move(submit)});
        }
    }
    return number;
}

const Request* Parts::request_of(SocketId id) {
    const Socket* socket = find_socket(id);
    return socket ? &find_connection(socket->connection)->request : nullptr;
}

ProducerId Parts::producer_of(SocketId id) {
    const Socket* socket = find_socket(id);
    const bool is_known = socket && socket->state == SocketState::connected && socket->capability;
    return is_known ? socket->capability->producer.id : ProducerId();
}

std::string_view Parts::sid_of(SocketId id) {
    const Socket* socket = find_socket(id);
    return socket ? std::string_view(socket->sid) : std::string_view();
}

// ---- life of a session --------------------------------------------------------------------------

Parts::Socket* Parts::find_socket(SocketId id) {
    Socket* socket = known_socket(id);
    return socket && find_connection(socket->connection) ? socket : nullptr;
}

Parts::Socket* Parts::known_socket(SocketId id) {
    const auto slot = static_cast<std::uint32_t>(id);
    if (slot >= sockets_.size()) return nullptr;
    Socket& socket = sockets_[slot];
    return socket.in_use && socket.generation == id >> 32 ? &socket : nullptr;
}

std::string_view Parts::namespace_of(const Socket& socket) {
    return known_connection(socket.connection)->peer->namespace_name(socket.index);
}

SocketId Parts::new_socket(ConnectionId connection, peer::NamespaceIndex index) {
    std::uint32_t slot = 0;
    if (free_sockets_.empty()) {
        slot = static_cast<std::uint32_t>(sockets_.size());
        sockets_.emplace_back();
    } else {
        slot = free_sockets_.back();
        free_sockets_.pop_back();
    }
    Socket& socket = sockets_[slot];
    socket.in_use = true;
    socket.connection = connection;
    socket.index = index;
    socket.sid = base64::encode_url(secrets_.take(sid_bytes));
    const SocketId id = (static_cast<SocketId>(socket.generation) << 32) | slot;
    auto& of_connection = known_connection(connection)->sockets;
    if (of_connection.size() <= index) of_connection.resize(index + 1);
    of_connection[index] = id;
    ++counts_.sockets_open;
    return id;
}

void Parts::free_socket(SocketId id) {
    rooms_.leave_all(id);
    if (options_.recovery) {
        doors_.erase(id);
        greetings_.erase(id);
    }
    Socket& socket = *known_socket(id);
    const std::uint32_t generation = socket.generation + 1;
    socket = Socket();
    socket.generation = generation;
    free_sockets_.push_back(static_cast<std::uint32_t>(id));
    --counts_.sockets_open;
}

void Parts::handle_connect(ConnectionId id, const peer::ConnectRequested& request) {
    Connection& connection = *known_connection(id);
    const char* refusal = why_no_connect(connection, request);
    if (!refusal) return ask_application(id, request);
    connection.peer->reject(request.index, refusal);
}

/// Each costs the application and all who hear of newcomers more than it costs the peer. None: go on.
const char* Parts::why_no_connect(Connection& connection, const peer::ConnectRequested& request) {
    if (request.auth.size() > limits::auth_bytes)
        return R"({"message":"auth is too large","data":{"code":"auth_too_large"}})";
    Network& network = *connection.network;
    const bool pays =
        pay(connection.connects_paid_until, limits::connect_every, limits::connects_at_once) &&
        (!options_.limits_networks ||
         pay(network.connects_paid_until, options_.cores * limits::network_connect_every,
             limits::network_connects_at_once / options_.cores));
    return pays ? nullptr
                : R"({"message":"too many connects, wait a while","data":{"code":"too_many"}})";
}

/// Each takes `price` of time, and so many go on credit. False: wait.
bool Parts::pay(Instant& paid_until, Millis price, std::uint32_t on_credit) const {
    const auto then = std::max(paid_until, now_) + price;
    if (then > now_ + on_credit * price) return false;
    paid_until = then;
    return true;
}

void Parts::ask_application(ConnectionId id, const peer::ConnectRequested& request) {
    const SocketId socket = new_socket(id, request.index);
    known_socket(socket)->capability = peer::find_client_capability(request.auth);
    known_socket(socket)->wants_values = wants_values(request.auth);
    if (options_.recovery) note_claim(socket, request.auth);
    outputs_.push_back(ConnectAsked{socket, request.nsp, request.auth});
}

/// CONNECT is answered; from here on the session reads the log from where it stands.
void Parts::finish_accept(SocketId id, const mail::Attached* attached,
                          const mail::SessionOpened* opened) {
    Socket& socket = *find_socket(id);
    const auto& head = log_state_.head;
    const auto& asked = socket.capability ? socket.capability->position : std::nullopt;
    const bool continues = asked && asked->epoch == head.epoch;
    const bool replays = continues || asked || socket.replay_after;
    const delivery::Offset after = continues ? asked->offset
                                   : replays ? socket.replay_after.value_or(0)
                                             : head.offset;
    socket.sent.reset({head.epoch, after});

    std::optional<peer::ServerCapability> capability;
    if (attached) {
        socket.producer_epoch = attached->epoch;
        capability = {attached->epoch,
                      attached->seen,
                      *socket.sent.position(),
                      limits::window,
                      log_state_.message_bytes_max,
                      store::durability_text(log_state_.durability),
                      true,
                      true};
    }
    socket.state = SocketState::connected;
    rooms_.join(id, store::log_room(namespace_of(socket), everybody));
    rooms_.join(id, store::log_room(namespace_of(socket), socket.sid));
    const auto answer = opened
                            ? peer::encode_session_answer(socket.sid, opened->pid, opened->reason)
                            : peer::encode_connect_answer(socket.sid, capability);
    outputs_.push_back(SocketConnected{id});
    if (socket.is_recoverable) {
        greet_later(id, answer);
    } else {
        find_connection(socket.connection)->peer->accept(socket.index, answer);
        pump(socket.connection, now_);
    }
    socket.reader = replays ? Reader::absent : Reader::live;
    if (replays) new_readers_.push_back(id);
}

void Parts::end_socket(SocketId id, socketio::DisconnectReason reason) {
    const Socket* socket = known_socket(id);
    if (!socket) return;
    const bool is_attached = socket->capability && socket->state != SocketState::asked;
    if (drop_lookups(id, *socket) || is_attached) {
        outputs_.push_back(ToStore{mail::Detach{session_ref(id)}});
    }
    end_session(id, *socket, reason);
    const bool was_connected = socket->state == SocketState::connected;
    abandon_acks(id);
    const ConnectionId connection = socket->connection;
    stop_reading(*known_socket(id));
    outputs_.push_back(SocketGone{id, reason, rooms_of(id), was_connected});
    free_socket(id);
    resume_readers(*known_connection(connection));
}

// ---- events in ----------------------------------------------------------------------------------

void Parts::handle_event(ConnectionId connection, peer::EventReceived event) {
    const SocketId id = known_connection(connection)->sockets[event.index];
    Socket* found = find_socket(id);
    if (!found) return;
    Socket& socket = *found;
    const auto elements = json::elements(event.packet.data);
    const auto name = json::as_string(elements[0]);
    if (name && socket.capability && peer::is_delivery_event(*name)) {
        if (const auto noticed = peer::decode_noticed(event.packet.data))
            return take_notice(socket, noticed->anomalies);
        return submit_keyed(id, socket, event.packet);
    }
    const auto& durable = options_.durable_events;
    if (name && std::find(durable.begin(), durable.end(), *name) != durable.end()) {
        return submit(id, socket, std::move(event.packet));
    }
    outputs_.push_back(EventArrived{id, std::move(event.packet.data),
                                    std::move(event.packet.attachments), event.packet.ack_id});
}

/// A client's word, so no more than a number for people to look at; of one session no large one, because
/// it should be 0, and whoever makes it up should not be able to hide what others see.
void Parts::take_notice(Socket& socket, const delivery::Anomalies& anomalies) {
    const auto take = [&](std::uint32_t delivery::Anomalies::*kind) {
        const auto believed = std::min(anomalies.*kind, noticed_max - socket.noticed.*kind);
        socket.noticed.*kind += believed;
        counts_.noticed.*kind += believed;
    };
    take(&delivery::Anomalies::holes);
    take(&delivery::Anomalies::repeated);
    take(&delivery::Anomalies::late);
}

/// A durable event of a stock client: stored by whatever id its arguments carry.
void Parts::submit(SocketId id, const Socket& socket, socketio::Packet packet) {
    if (!packet.attachments.empty()) {
        if (packet.ack_id) {
            send_ack(
                id, *packet.ack_id,
                R"([{"error":"binary","message":"this event is stored, and stores text only"}])",
                {});
        }
        return;
    }
    mail::Submit submit{session_ref(id),        std::string(namespace_of(socket)),
                        std::move(packet.data), socket.sid,
                        std::nullopt,           packet.ack_id,
                        socket.sender};
    if (is_lookup(submit.data)) return look_up(socket.connection, std::move(submit));
    outputs_.push_back(ToStore{std::move(submit)});
}

void Parts::submit_keyed(SocketId id, const Socket& socket, const socketio::Packet& packet) {
    const auto send = peer::decode_send(packet.data);
    if (!send) return violate(socket.connection);
    outputs_.push_back(ToStore{mail::Submit{
        session_ref(id), std::string(namespace_of(socket)), std::string(send->message), socket.sid,
        mail::Submit::ProducerKey{socket.capability->producer.id, socket.producer_epoch,
                                  send->sequence, send->digest,
                                  send->renumbered || !socket.capability->renumbered},
        std::nullopt, socket.sender}});
}

}  // namespace oncewire::hub
