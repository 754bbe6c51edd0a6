// The Hub's connections: frames in, writes out, timers. Namespace sessions are in hub_sockets.cpp, the
// log in hub_delivery.cpp.
#include "server/hub/hub.hpp"

#include "shared/base/base64.hpp"
#include "shared/base/verify.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {
namespace {

/// 15 bytes are 20 characters, as the reference's ids are. 14 of them are random, which cannot be
/// guessed; the last is the owner.
constexpr std::size_t id_bytes = 15;

/// What one Write carries at most, so that a slow but living reader shows progress between writes.
constexpr std::uint64_t write_bytes_max = 256u << 10;

/// Answers and verdicts are never dropped, so they may go beyond the limit of the send queue; a peer
/// that makes us answer and does not read is closed here.
constexpr std::uint64_t queue_bytes_hard = 4ull * limits::send_queue_bytes;

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

Hub::Hub(Options options) : options_(std::move(options)) {}

// ---- host ---------------------------------------------------------------------------------------

ConnectionId Hub::handle_accept(Request request, Instant now) {
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
    sid.back() = static_cast<char>(options_.core);  // so that any core can tell whose session it is
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
    ++counts_.connections_opened;
    ++counts_.connections_open;
    pump(id, now);
    return id;
}

void Hub::handle_frame(ConnectionId id, FrameView frame, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection) return;
    ++counts_.frames_in;
    connection->peer->handle_frame(engineio::Channel::current, frame, now);
    pump(id, now);
}

void Hub::handle_written(ConnectionId id, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection) return;
    connection->writing = false;
    connection->slow_at.reset();
    if (!connection->queue.empty() && !connection->dirty) {
        connection->dirty = true;
        dirty_.push_back(id);
    }
    if (connection->queue_bytes > limits::send_queue_bytes / 2) return;
    for (const SocketId socket : connection->sockets) resume_reader(socket);
    send_lookups(id);
}

void Hub::handle_transport_closed(ConnectionId id, engineio::CloseReason reason, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection) return;
    connection->peer->handle_transport_closed(reason);
    pump(id, now);
}

bool Hub::handle_probe_opened(ConnectionId id, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection || !connection->peer->handle_probe_opened(now)) return false;
    pump(id, now);
    return true;
}

void Hub::handle_probe_frame(ConnectionId id, FrameView frame, Instant now) {
    now_ = now;
    Connection* connection = find_connection(id);
    if (!connection) return;
    ++counts_.frames_in;
    connection->peer->handle_frame(engineio::Channel::probe, frame, now);
    pump(id, now);
}

void Hub::handle_probe_closed(ConnectionId id, Instant now) {
    now_ = now;
    if (Connection* connection = find_connection(id)) connection->peer->handle_probe_closed();
}

void Hub::handle_mail(store::FromSequencer mail, Instant now) {
    now_ = now;
    std::visit([this](const auto& letter) { handle(letter); }, mail);
}

void Hub::handle_timeout(Instant now) {
    now_ = now;
    while (!timers_.empty() && timers_.top().first <= now) {
        const auto [at, id] = timers_.top();
        timers_.pop();
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
        for (auto& connection : connections_) {
            for (const SocketId socket : connection.sockets) resume_reader(socket);
        }
    }
}

std::optional<Instant> Hub::next_timeout() const {
    const auto timer = timers_.empty() ? std::nullopt : std::optional(timers_.top().first);
    return earliest(earliest(timer, wake_at_), earliest(read_again_at_, acks_.next_timeout()));
}

void Hub::shut_down(Instant now) {
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
std::optional<HubOutput> Hub::poll_output() {
    while (!closing_.empty()) {
        const ConnectionId id = closing_.back();
        closing_.pop_back();
        pump(id, now_);
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

std::optional<std::uint16_t> Hub::owner_of(std::string_view engine_sid) {
    const auto bytes = base64::decode(engine_sid);
    if (!bytes || bytes->size() != id_bytes) return std::nullopt;
    return static_cast<unsigned char>(bytes->back());
}

std::string_view Hub::engine_sid_of(ConnectionId id) const {
    const Connection* connection = find_connection(id);
    return connection ? std::string_view(connection->peer->session().handshake().sid.text)
                      : std::string_view();
}

std::optional<ConnectionId> Hub::find_by_sid(std::string_view engine_sid) const {
    const auto found = by_sid_.find(engine_sid);
    return found == by_sid_.end() ? std::nullopt : std::optional(found->second);
}

engineio::SessionState Hub::state_of(ConnectionId id) const {
    const Connection* connection = find_connection(id);
    return connection ? connection->peer->session().state() : engineio::SessionState::closed;
}

// ---- connections --------------------------------------------------------------------------------

Hub::Connection* Hub::find_connection(ConnectionId id) {
    const auto slot = static_cast<std::uint32_t>(id);
    if (slot >= connections_.size()) return nullptr;
    Connection& connection = connections_[slot];
    return connection.peer && connection.generation == id >> 32 ? &connection : nullptr;
}

void Hub::pump(ConnectionId id, Instant) {
    while (Connection* connection = find_connection(id)) {
        auto output = connection->peer->poll_output();
        if (!output) break;
        perform(id, std::move(*output));
    }
    schedule(id);
}

void Hub::perform(ConnectionId id, peer::ServerOutput output) {
    std::visit(Overloaded{
                   [&](peer::Transmit& transmit) { perform(id, std::move(transmit)); },
                   [&](peer::ConnectRequested& request) { ask_application(id, request); },
                   [&](peer::EventReceived& event) { handle_event(id, std::move(event)); },
                   [&](peer::AckReceived& ack) { handle_ack(id, std::move(ack)); },
                   [&](peer::MessageReceived& received) {
                       outputs_.push_back(MessageArrived{id, std::move(received.message)});
                   },
                   [&](peer::Left& left) {
                       end_socket(find_connection(id)->sockets[left.index], left.reason);
                   },
                   [&](peer::ChannelSwitched&) { outputs_.push_back(SwitchTransport{id}); },
                   [&](peer::CloseChannel& close) { perform(id, close); },
               },
               output);
}

void Hub::perform(ConnectionId id, peer::Transmit transmit) {
    if (transmit.channel == engineio::Channel::probe) {
        outputs_.push_back(WriteProbe{id, std::move(transmit.frame)});
        return;
    }
    enqueue(*find_connection(id), id, std::make_shared<const Frame>(std::move(transmit.frame)));
}

void Hub::perform(ConnectionId id, peer::CloseChannel close) {
    if (close.channel == engineio::Channel::current) return end_connection(id, close.reason);
    outputs_.push_back(CloseProbe{id});
}

void Hub::send(ConnectionId id, FrameView message) {
    Connection* connection = find_connection(id);
    if (!connection) return;
    Frame frame = message.type == FrameType::binary
                      ? engineio::encode_binary(std::string(message.bytes))
                      : engineio::encode_frame(engineio::PacketType::message, message.bytes);
    enqueue(*connection, id, std::make_shared<const Frame>(std::move(frame)));
}

void Hub::enqueue(Connection& connection, ConnectionId id, SharedFrame frame) {
    ++counts_.frames_out;
    connection.queue_bytes += frame->bytes.size();
    connection.queue.push_back(std::move(frame));
    if (connection.dirty || connection.writing) return;
    connection.dirty = true;
    dirty_.push_back(id);
}

void Hub::queue_packet(const Socket& socket, const socketio::Packet& packet) {
    Connection& connection = *find_connection(socket.connection);
    for (auto& frame : socketio::encode(packet)) {
        enqueue(connection, socket.connection, std::make_shared<const Frame>(std::move(frame)));
    }
    if (connection.queue_bytes > queue_bytes_hard && !connection.peer->is_closed()) {
        ++counts_.slow_readers_closed;
        connection.peer->close(socketio::DisconnectReason::transport_error);
        closing_.push_back(
            socket.connection);  // pumped by poll_output(): we may be inside its pump
    }
}

std::optional<Write> Hub::take_write(ConnectionId id) {
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
void Hub::end_connection(ConnectionId id, engineio::CloseReason reason) {
    Connection& connection = *find_connection(id);
    by_sid_.erase(connection.peer->session().handshake().sid.text);
    if (!connection.writing && !connection.queue.empty()) {
        outputs_.push_back(Write{id, std::move(connection.queue)});
    }
    outputs_.push_back(CloseTransport{id, reason});
    const std::uint32_t generation = connection.generation + 1;
    connection = Connection();
    connection.generation = generation;
    free_connections_.push_back(static_cast<std::uint32_t>(id));
    --counts_.connections_open;
}

/// One heap entry per connection, never later than its true deadline; a deadline that moved back (a
/// pong came) is noticed when the entry fires.
void Hub::schedule(ConnectionId id) {
    Connection* connection = find_connection(id);
    if (!connection) return;
    const auto due = earliest(connection->peer->next_timeout(), connection->slow_at);
    if (!due || (connection->timer_at && *connection->timer_at <= *due)) return;
    connection->timer_at = due;
    timers_.push({*due, id});
}

/// The peer broke a rule that only this layer knows.
void Hub::violate(ConnectionId id) {
    ++counts_.violations;
    find_connection(id)->peer->close(socketio::DisconnectReason::forced_close);
}

}  // namespace oncewire::hub
