// The Hub's connections: frames in, writes out, timers. Namespace sessions are in hub_sockets.cpp, the
// log in hub_delivery.cpp.
#include "server/hub/parts.hpp"

#include <algorithm>

#include "shared/base/base64.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {
namespace {

/// 15 bytes are 20 characters, as the reference's ids are. 13 of them are random, which cannot be
/// guessed; the last two are the owner.
constexpr std::size_t id_bytes = 15;

/// What one Write carries at most, so that a slow but living reader shows progress between writes.
constexpr std::uint64_t write_bytes_max = 256u << 10;

/// Answers and verdicts are never dropped, so they may go beyond the limit of the send queue; a peer that
/// makes us answer and does not read is closed when this many times the limit wait.
constexpr std::uint64_t hard_limit = 4;

/// What is left of connections that are gone, timers and networks, is thrown away when it is more than this,
/// and more than what is needed.
constexpr std::size_t leftovers_max = 64;

/// So that any core can tell whose session it is.
void sign(std::string& id, std::uint16_t core) {
    id[id_bytes - 2] = static_cast<char>(core >> 8);
    id[id_bytes - 1] = static_cast<char>(core & 0xff);
}

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

Parts::Parts(Options options) : options_(std::move(options)) {}

// ---- host ---------------------------------------------------------------------------------------

ConnectionId Parts::handle_accept(Request request, Instant now) {
    now_ = now;
    std::uint32_t slot = 0;
    if (free_connections_.empty()) {
        slot = static_cast<std::uint32_t>(connections_.size());
        connections_.emplace_back();
    } else {
        slot = free_connections_.back();
        free_connections_.pop_back();
    }
    Connection& connection = connections_[slot];
    const ConnectionId id = (static_cast<ConnectionId>(connection.generation) << 32) | slot;
    peer::ServerConnection::Options peer_options;
    std::string sid = secrets_.take(id_bytes);
    sign(sid, options_.core);
    peer_options.handshake.sid = EngineSid(base64::encode_url(sid));
    peer_options.handshake.timings = options_.timings;
    peer_options.handshake.payload_bytes_max = options_.message_bytes_max;
    peer_options.handshake.websocket_upgrade =
        options_.upgrades && request.transport == engineio::TransportKind::polling;
    peer_options.connect_timeout = options_.connect_timeout;
    peer_options.transport = request.transport;
    peer_options.speaks_socketio = options_.speaks_socketio;
    by_sid_.emplace(peer_options.handshake.sid.text, id);
    connection.peer.emplace(std::move(peer_options), now);
    connection.request = std::move(request);
    enter_network(connection);
    ++counts_.connections_opened;
    ++counts_.connections_open;
    pump(id, now);
    return id;
}

void Parts::handle_frame(ConnectionId id, FrameView frame, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection) return;
    ++counts_.frames_in;
    connection->peer->handle_frame(engineio::Channel::current, frame, now);
    bound_collected(*connection);
    pump(id, now);
}

void Parts::handle_written(ConnectionId id, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection) return;
    connection->writing = false;
    connection->slow_at.reset();
    if (!connection->queue.empty() && !connection->dirty) {
        connection->dirty = true;
        dirty_.push_back(id);
    }
    owe(*connection, std::min(connection->owed_bytes, connection->queue_bytes));
    resume_readers(*connection);
    send_lookups(id);
}

void Parts::handle_transport_closed(ConnectionId id, engineio::CloseReason reason, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection) return;
    connection->peer->handle_transport_closed(reason);
    pump(id, now);
}

bool Parts::handle_probe_opened(ConnectionId id, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection || !connection->peer->handle_probe_opened(now)) return false;
    pump(id, now);
    return true;
}

void Parts::handle_probe_frame(ConnectionId id, FrameView frame, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection) return;
    ++counts_.frames_in;
    connection->peer->handle_frame(engineio::Channel::probe, frame, now);
    pump(id, now);
}

void Parts::handle_probe_closed(ConnectionId id, Instant now) {
    now_ = now;
    if (Connection* connection = find_connection(id)) connection->peer->handle_probe_closed();
}

void Parts::handle_mail(mail::FromSequencer mail, Instant now) {
    now_ = now;
    std::visit([this](const auto& letter) { handle(letter); }, mail);
}

void Parts::handle_timeout(Instant now) {
    now_ = now;
    while (!timers_.empty() && timers_.front().first <= now) {
        const auto [at, id] = timers_.front();
        std::pop_heap(timers_.begin(), timers_.end(), std::greater<>());
        timers_.pop_back();
        Connection* connection = find_connection(id);
        if (!connection || connection->timer_at != at) continue;
        connection->timer_at.reset();
        if (connection->slow_at && *connection->slow_at <= now) {
            ++counts_.slow_readers_closed;
            connection->peer->close(socketio::DisconnectReason::transport_error);
        } else {
            connection->peer->handle_timeout(now);
        }
        pump(id, now);
    }
    expire_acks();
    if (wake_at_ && *wake_at_ <= now) {
        wake_at_.reset();
        outputs_.push_back(Woken{});
    }
    if (read_again_at_ && *read_again_at_ <= now) {
        read_again_at_.reset();
        for (const auto& connection : connections_) resume_readers(connection);
    }
}

std::optional<Instant> Parts::next_timeout() const {
    const auto timer = timers_.empty() ? std::nullopt : std::optional(timers_.front().first);
    return earliest(earliest(timer, wake_at_), earliest(read_again_at_, acks_.next_timeout()));
}

void Parts::shut_down(Instant now) {
    now_ = now;
    for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
        if (!connections_[slot].peer) continue;
        const ConnectionId id =
            (static_cast<ConnectionId>(connections_[slot].generation) << 32) | slot;
        connections_[slot].peer->close(socketio::DisconnectReason::server_shutting_down);
        pump(id, now);
    }
}

/// Writes come last: by then everything this turn had to say is queued, and leaves in one go.
std::optional<HubOutput> Parts::poll_output() {
    while (!closing_.empty()) {
        const ConnectionId id = closing_.back();
        closing_.pop_back();
        finish(id);
    }
    for (const ConnectionId id : std::exchange(answered_lookups_, {})) send_lookups(id);
    if (auto output = outputs_.poll()) return output;
    if (!new_greetings_.empty() || !new_readers_.empty()) {
        answer_greetings();
        start_new_readers();
        if (auto output = outputs_.poll()) return output;
    }
    while (dirty_taken_ < dirty_.size()) {
        const ConnectionId id = dirty_[dirty_taken_++];
        if (auto write = take_write(id)) return HubOutput(std::move(*write));
    }
    dirty_.clear();
    dirty_taken_ = 0;
    return std::nullopt;
}

std::optional<std::uint16_t> Parts::owner_of(std::string_view engine_sid) {
    const auto bytes = base64::decode(engine_sid);
    if (!bytes || bytes->size() != id_bytes) return std::nullopt;
    return static_cast<std::uint16_t>(static_cast<unsigned char>((*bytes)[id_bytes - 2]) << 8 |
                                      static_cast<unsigned char>((*bytes)[id_bytes - 1]));
}

std::string_view Parts::engine_sid_of(ConnectionId id) const {
    const Connection* connection = find_connection(id);
    return connection ? std::string_view(connection->peer->session().handshake().sid.text)
                      : std::string_view();
}

std::optional<ConnectionId> Parts::find_by_sid(std::string_view engine_sid) const {
    const auto found = by_sid_.find(engine_sid);
    const bool is_there = found != by_sid_.end() && find_connection(found->second);
    return is_there ? std::optional(found->second) : std::nullopt;
}

engineio::SessionState Parts::state_of(ConnectionId id) const {
    const Connection* connection = find_connection(id);
    return connection ? connection->peer->session().state() : engineio::SessionState::closed;
}

std::uint64_t Parts::queued_bytes(ConnectionId id) const {
    const Connection* connection = find_connection(id);
    return connection ? connection->queue_bytes : 0;
}

// ---- connections --------------------------------------------------------------------------------

Parts::Connection* Parts::find_connection(ConnectionId id) {
    Connection* connection = known_connection(id);
    return connection && !connection->peer->is_closed() ? connection : nullptr;
}

Parts::Connection* Parts::known_connection(ConnectionId id) {
    const auto slot = static_cast<std::uint32_t>(id);
    if (slot >= connections_.size()) return nullptr;
    Connection& connection = connections_[slot];
    return connection.peer && connection.generation == id >> 32 ? &connection : nullptr;
}

/// All that its peer has to say, unless that is too much: whoever pumps goes on with its sessions, so these
/// end later, by finish().
void Parts::pump(ConnectionId id, Instant) {
    Connection* connection = known_connection(id);
    while (connection && !connection->overflowed && perform_next(*connection, id))
        connection = known_connection(id);
    schedule(id);
}

void Parts::finish(ConnectionId id) {
    Connection* connection = known_connection(id);
    while (connection && perform_next(*connection, id)) connection = known_connection(id);
}

/// False: there is nothing.
bool Parts::perform_next(Connection& connection, ConnectionId id) {
    auto output = connection.peer->poll_output();
    if (output) perform(id, std::move(*output));
    return output.has_value();
}

void Parts::perform(ConnectionId id, peer::ServerOutput output) {
    std::visit(Overloaded{
                   [&](peer::Transmit& transmit) { perform(id, std::move(transmit)); },
                   [&](peer::ConnectRequested& request) { handle_connect(id, request); },
                   [&](peer::EventReceived& event) { handle_event(id, std::move(event)); },
                   [&](peer::AckReceived& ack) { handle_ack(id, std::move(ack)); },
                   [&](peer::MessageReceived& received) {
                       outputs_.push_back(MessageArrived{id, std::move(received.message)});
                   },
                   [&](peer::Left& left) {
                       end_socket(known_connection(id)->sockets[left.index], left.reason);
                   },
                   [&](peer::ChannelSwitched&) { outputs_.push_back(SwitchTransport{id}); },
                   [&](peer::CloseChannel& close) { perform(id, close); },
               },
               output);
}

void Parts::perform(ConnectionId id, peer::Transmit transmit) {
    if (transmit.channel == engineio::Channel::probe) {
        outputs_.push_back(WriteProbe{id, std::move(transmit.frame)});
        return;
    }
    // Known: its peer is being asked for outputs, and that it is closed is the last of them.
    enqueue_or_end(*known_connection(id), id,
                   std::make_shared<const Frame>(std::move(transmit.frame)));
}

void Parts::perform(ConnectionId id, peer::CloseChannel close) {
    if (close.channel == engineio::Channel::current) return end_connection(id, close.reason);
    outputs_.push_back(CloseProbe{id});
}

void Parts::send(ConnectionId id, FrameView message) {
    Connection* connection = find_connection(id);
    if (!connection) return;
    Frame frame = message.type == FrameType::binary
                      ? engineio::encode_binary(std::string(message.bytes))
                      : engineio::encode_frame(engineio::PacketType::message, message.bytes);
    enqueue_or_end(*connection, id, std::make_shared<const Frame>(std::move(frame)));
}

void Parts::enqueue(Connection& connection, ConnectionId id, SharedFrame frame) {
    if (connection.overflowed) return;
    ++counts_.frames_out;
    connection.queue_bytes += frame->bytes.size();
    connection.queue.push_back(std::move(frame));
    if (connection.dirty || connection.writing) return;
    connection.dirty = true;
    dirty_.push_back(id);
}

/// What is owed whether or not its peer reads. The log is not: its readers wait when their queue is full.
void Parts::enqueue_or_end(Connection& connection, ConnectionId id, SharedFrame frame) {
    if (connection.overflowed) return;
    owe(connection, connection.owed_bytes + frame->bytes.size());
    enqueue(connection, id, std::move(frame));
    if (owes_too_much(connection)) end_overflowed(connection, id);
}

// To one of its sessions.

void Parts::enqueue(const Socket& socket, Connection& connection, SharedFrame frame) {
    if (socket.is_greeted) return enqueue(connection, socket.connection, std::move(frame));
    if (connection.overflowed) return;
    Greeting& greeting = greetings_.at(connection.sockets[socket.index]);
    greeting.held_bytes += frame->bytes.size();
    greeting.held.push_back(std::move(frame));
}

void Parts::enqueue_or_end(const Socket& socket, Connection& connection, SharedFrame frame) {
    if (connection.overflowed) return;
    owe(connection, connection.owed_bytes + frame->bytes.size());
    enqueue(socket, connection, std::move(frame));
    const bool waits_too_long =
        waiting_bytes(socket, connection) > hard_limit * options_.send_queue_bytes;
    if (waits_too_long || owes_too_much(connection)) end_overflowed(connection, socket.connection);
}

/// Before what is said to this session next.
std::uint64_t Parts::waiting_bytes(const Socket& socket, const Connection& connection) const {
    if (socket.is_greeted) return connection.queue_bytes;
    return connection.queue_bytes + greetings_.at(connection.sockets[socket.index]).held_bytes;
}

bool Parts::owes_too_much(const Connection& connection) const {
    if (connection.queue_bytes > hard_limit * options_.send_queue_bytes) return true;
    return options_.limits_networks &&
           connection.network->owed_bytes > options_.network_queue_bytes / options_.cores;
}

void Parts::owe(Connection& connection, std::uint64_t bytes) {
    connection.network->owed_bytes += bytes - connection.owed_bytes;
    connection.owed_bytes = bytes;
}

/// From here on nobody finds it. What waited is dropped, and nothing follows: no part of it may pass for
/// all. It is freed by poll_output(), because we may be inside its pump, or among its room's members.
void Parts::end_overflowed(Connection& connection, ConnectionId id) {
    connection.overflowed = true;
    closing_.push_back(id);
    connection.queue.clear();
    connection.queue_bytes = 0;
    owe(connection, 0);
    if (connection.peer->is_closed()) return;
    ++counts_.slow_readers_closed;
    connection.peer->close(socketio::DisconnectReason::transport_error);
}

void Parts::queue_packet(const Socket& socket, const socketio::Packet& packet) {
    Connection& connection = *known_connection(socket.connection);
    for (auto& frame : socketio::encode(packet)) {
        enqueue_or_end(socket, connection, std::make_shared<const Frame>(std::move(frame)));
    }
}

std::optional<Write> Parts::take_write(ConnectionId id) {
    Connection* connection = find_connection(id);
    if (!connection) return std::nullopt;
    connection->dirty = false;
    if (connection->writing || connection->queue.empty()) return std::nullopt;
    Write write{id, {}};
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    while (count < connection->queue.size() && (count == 0 || bytes < write_bytes_max)) {
        bytes += connection->queue[count++]->bytes.size();
    }
    if (count == connection->queue.size()) {
        write.frames.swap(connection->queue);
    } else {
        const auto end = connection->queue.begin() + static_cast<std::ptrdiff_t>(count);
        write.frames.assign(std::make_move_iterator(connection->queue.begin()),
                            std::make_move_iterator(end));
        connection->queue.erase(connection->queue.begin(), end);
    }
    connection->queue_bytes -= bytes;
    connection->writing = true;
    connection->slow_at = now_ + limits::slow_reader_timeout;
    schedule(id);
    return write;
}

/// What is queued goes out, unless a Write is out already: then the peer is slow or gone.
void Parts::end_connection(ConnectionId id, engineio::CloseReason reason) {
    Connection& connection = *known_connection(id);
    by_sid_.erase(connection.peer->session().handshake().sid.text);
    if (!connection.writing && !connection.queue.empty()) {
        outputs_.push_back(Write{id, std::move(connection.queue)});
    }
    outputs_.push_back(CloseTransport{id, reason});
    leave_network(connection);
    const std::uint32_t generation = connection.generation + 1;
    connection = Connection();
    connection.generation = generation;
    free_connections_.push_back(static_cast<std::uint32_t>(id));
    --counts_.connections_open;
    forget_old_timers();
}

/// One heap entry per connection, never later than its true deadline; a deadline that moved back (a
/// pong came) is noticed when the entry fires.
void Parts::schedule(ConnectionId id) {
    Connection* connection = find_connection(id);
    if (!connection) return;
    const auto due = earliest(connection->peer->next_timeout(), connection->slow_at);
    if (!due || (connection->timer_at && *connection->timer_at <= *due)) return;
    connection->timer_at = due;
    timers_.push_back({*due, id});
    std::push_heap(timers_.begin(), timers_.end(), std::greater<>());
}

/// Each open connection needs one at most, so what is thrown away is at least as much as what is looked at.
void Parts::forget_old_timers() {
    if (timers_.size() <= 2 * counts_.connections_open + leftovers_max) return;
    std::erase_if(timers_, [this](const Timer& timer) {
        const Connection* connection = find_connection(timer.second);
        return !connection || connection->timer_at != timer.first;
    });
    timers_.shrink_to_fit();
    std::make_heap(timers_.begin(), timers_.end(), std::greater<>());
}

void Parts::enter_network(Connection& connection) {
    connection.network = &networks_[connection.request.network];
    ++connection.network->connections;
}

void Parts::collect(Connection& connection, std::uint64_t bytes) {
    connection.network->collected_bytes += bytes - connection.collected_bytes;
    connection.collected_bytes = bytes;
}

/// Attachments wait for the last one of their packet. Whoever lets more wait than its network may is closed.
void Parts::bound_collected(Connection& connection) {
    const std::uint64_t bytes = connection.peer->collected_bytes();
    const std::uint64_t before = connection.collected_bytes;
    collect(connection, bytes - std::min(bytes, limits::attachments_uncounted));
    const std::uint64_t at_most = std::max(options_.network_attachments_bytes / options_.cores,
                                           std::uint64_t{2} * options_.message_bytes_max);
    const bool is_too_much =
        connection.collected_bytes > before && connection.network->collected_bytes > at_most;
    if (options_.limits_networks && is_too_much)
        connection.peer->close(socketio::DisconnectReason::transport_error);
}

/// Whoever leaves and comes back goes on with what it has used up, so a network is kept a little longer.
void Parts::leave_network(Connection& connection) {
    owe(connection, 0);
    collect(connection, 0);
    --connection.network->connections;
    if (networks_.size() <= 2 * counts_.connections_open + leftovers_max) return;
    std::erase_if(networks_, [this](const auto& network) {
        return network.second.connections == 0 && network.second.connects_paid_until <= now_;
    });
}

/// The peer broke a rule that only this layer knows.
void Parts::violate(ConnectionId id) {
    ++counts_.violations;
    if (Connection* connection = find_connection(id))
        connection->peer->close(socketio::DisconnectReason::forced_close);
}

}  // namespace oncewire::hub
