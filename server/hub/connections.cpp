#include "server/hub/connections.hpp"

#include <algorithm>
#include <iterator>
#include <memory>

#include "shared/base/base64.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::hub {
namespace {

/// What one Write carries at most, so that a slow but living reader shows progress between writes.
constexpr std::uint64_t write_bytes_max = 256u << 10;

/// Answers and verdicts are never dropped, so they may go beyond the limit of the send queue; a peer that
/// makes us answer and does not read is closed when this many times the limit wait.
constexpr std::uint64_t hard_limit = 4;

/// 13 bytes are random, which cannot be guessed; the last two say whose session it is, to any core.
void sign(std::string& id, std::uint16_t core) {
    id[Connections::id_bytes - 2] = static_cast<char>(core >> 8);
    id[Connections::id_bytes - 1] = static_cast<char>(core & 0xff);
}

Networks::Limits limits_of(const Options& options) {
    const std::uint16_t cores = options.server.cores;
    return {options.limits_networks, cores, options.network_queue_bytes / cores,
            std::max(options.network_attachments_bytes / cores,
                     std::uint64_t{2} * options.server.max_http_buffer_size)};
}

peer::ServerConnection::Options peer_options(const Options& options,
                                             engineio::TransportKind transport, std::string sid) {
    peer::ServerConnection::Options peer;
    peer.handshake.sid = EngineSid(std::move(sid));
    const ServerOptions& server = options.server;
    peer.handshake.timings = {server.ping_interval, server.ping_timeout};
    peer.handshake.payload_bytes_max = server.max_http_buffer_size;
    peer.handshake.websocket_upgrade =
        server.allow_upgrades && server.websocket && transport == engineio::TransportKind::polling;
    peer.connect_timeout = server.connect_timeout;
    peer.transport = transport;
    peer.speaks_socketio = options.speaks_socketio;
    return peer;
}

}  // namespace

Connections::Connections(const Options& options, Turn& turn)
    : options_(options), turn_(turn), networks_(limits_of(options)) {}

ConnectionId Connections::open(const Request& request, std::string secret) {
    const ConnectionId id = places_.take();
    const auto place = Places::place_of(id);
    if (place == connections_.size()) connections_.emplace_back();
    Connection& connection = connections_[place];
    sign(secret, options_.core);
    std::string sid = base64::encode_url(secret);
    by_sid_.emplace(sid, id);
    connection.peer.emplace(peer_options(options_, request.transport, std::move(sid)), turn_.now);
    connection.request = PackedRequest(request);
    networks_.enter(connection.share, request.network);
    ++turn_.counts.connections_opened;
    ++turn_.counts.connections_open;
    return id;
}

Connection* Connections::find(ConnectionId id) {
    Connection* connection = known(id);
    return connection && !connection->peer->is_closed() ? connection : nullptr;
}

std::optional<std::uint16_t> Connections::owner_of(std::string_view engine_sid) {
    const auto bytes = base64::decode(engine_sid);
    if (!bytes || bytes->size() != id_bytes) return std::nullopt;
    return static_cast<std::uint16_t>(static_cast<unsigned char>((*bytes)[id_bytes - 2]) << 8 |
                                      static_cast<unsigned char>((*bytes)[id_bytes - 1]));
}

std::optional<ConnectionId> Connections::find_by_sid(std::string_view engine_sid) const {
    const auto found = by_sid_.find(engine_sid);
    const bool is_there = found != by_sid_.end() && find(found->second);
    return is_there ? std::optional(found->second) : std::nullopt;
}

// ---- what waits for a peer ----------------------------------------------------------------------

void Connections::enqueue(Connection& connection, ConnectionId id, SharedFrame frame) {
    if (connection.overflowed) return;
    ++turn_.counts.frames_out;
    connection.queue_bytes += frame->bytes.size();
    connection.queue.push_back(std::move(frame));
    if (connection.dirty || connection.writing) return;
    connection.dirty = true;
    dirty_.push_back(id);
}

void Connections::enqueue_or_end(Connection& connection, ConnectionId id, SharedFrame frame) {
    if (connection.overflowed) return;
    owe_more(connection, frame->bytes.size());
    enqueue(connection, id, std::move(frame));
    if (owes_too_much(connection, connection.queue_bytes)) end_overflowed(connection, id);
}

bool Connections::owes_too_much(const Connection& connection, std::uint64_t waiting_bytes) const {
    return waiting_bytes > hard_limit * options_.send_queue_bytes ||
           networks_.owes_too_much(connection.share);
}

void Connections::end_overflowed(Connection& connection, ConnectionId id) {
    connection.overflowed = true;
    overflowed_.push_back(id);
    connection.queue.clear();
    connection.queue_bytes = 0;
    networks_.owe(connection.share, 0);
    if (connection.peer->is_closed()) return;
    ++turn_.counts.slow_readers_closed;
    connection.peer->close(socketio::DisconnectReason::transport_error);
}

std::optional<ConnectionId> Connections::take_overflowed() {
    if (overflowed_.empty()) return std::nullopt;
    const ConnectionId id = overflowed_.back();
    overflowed_.pop_back();
    return id;
}

std::optional<Write> Connections::poll_write() {
    while (dirty_taken_ < dirty_.size()) {
        if (auto write = take_write(dirty_[dirty_taken_++])) return write;
    }
    dirty_.clear();
    dirty_taken_ = 0;
    return std::nullopt;
}

std::optional<Write> Connections::take_write(ConnectionId id) {
    Connection* connection = find(id);
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
    connection->slow_at = turn_.now + limits::slow_reader_timeout;
    set_timer(id);
    return write;
}

void Connections::handle_written(Connection& connection, ConnectionId id) {
    connection.writing = false;
    connection.slow_at.reset();
    if (!connection.queue.empty() && !connection.dirty) {
        connection.dirty = true;
        dirty_.push_back(id);
    }
    networks_.owe(connection.share, std::min(connection.share.owed_bytes, connection.queue_bytes));
}

// ---- bounds, deadlines, the end -----------------------------------------------------------------

void Connections::bound_collected(Connection& connection) {
    const std::uint64_t bytes = connection.peer->collected_bytes();
    const std::uint64_t counted = bytes - std::min(bytes, limits::attachments_uncounted);
    if (!networks_.collect(connection.share, counted))
        connection.peer->close(socketio::DisconnectReason::transport_error);
}

bool Connections::pay_for_connect(Connection& connection) {
    return networks_.pay_for_connect(connection.share, turn_.now);
}

void Connections::set_timer(ConnectionId id) {
    const Connection* connection = find(id);
    if (!connection) return;
    const auto due = earliest(connection->peer->next_timeout(), connection->slow_at);
    if (due) timers_.set(id, *due);
}

std::optional<ConnectionId> Connections::handle_timeout() {
    while (const auto id = timers_.take_due(turn_.now)) {
        Connection* connection = find(*id);
        if (!connection) continue;
        if (connection->slow_at && *connection->slow_at <= turn_.now) {
            ++turn_.counts.slow_readers_closed;
            connection->peer->close(socketio::DisconnectReason::transport_error);
        } else {
            connection->peer->handle_timeout(turn_.now);
        }
        return id;
    }
    return std::nullopt;
}

void Connections::end(ConnectionId id, engineio::CloseReason reason) {
    Connection& connection = *known(id);
    by_sid_.erase(connection.peer->session().handshake().sid.text);
    if (!connection.writing && !connection.queue.empty()) {
        turn_.outputs.push_back(Write{id, std::move(connection.queue)});
    }
    turn_.outputs.push_back(CloseTransport{id, reason});
    networks_.leave(connection.share, turn_.now);
    timers_.drop(id);
    connection = Connection();
    places_.give_back(id);
    --turn_.counts.connections_open;
}

}  // namespace oncewire::hub
