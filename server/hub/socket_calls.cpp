#include "server/hub/socket_calls.hpp"

#include <utility>

#include "server/hub/parts.hpp"

namespace oncewire::hub {

void SocketCalls::accept(SocketId id, AcceptOptions options, Instant now) {
    parts_->turn.now = now;
    parts_->lifecycle.accept(id, std::move(options));
}

void SocketCalls::reject(SocketId id, std::string_view error_json, Instant now) {
    parts_->turn.now = now;
    parts_->lifecycle.reject(id, error_json);
}

void SocketCalls::join(SocketId id, std::string_view room) {
    const Socket* socket = parts_->sockets.find(id);
    if (!socket) return;
    auto name = store::log_room(parts_->sockets.namespace_of(*socket), room);
    parts_->recovery.note_room(id, room, true);
    parts_->commands.do_in_order(EnterRoom{id, std::move(name)});
}

void SocketCalls::leave(SocketId id, std::string_view room) {
    const Socket* socket = parts_->sockets.find(id);
    if (!socket) return;
    auto name = store::log_room(parts_->sockets.namespace_of(*socket), room);
    parts_->recovery.note_room(id, room, false);
    parts_->commands.do_in_order(LeaveRoom{id, std::move(name)});
}

void SocketCalls::introduce(SocketId id, std::string sender) {
    if (Socket* socket = parts_->sockets.find(id)) socket->sender = std::move(sender);
}

void SocketCalls::emit(SocketId id, std::string_view data,
                       const std::vector<std::string>& attachments) {
    const Socket* socket = parts_->sockets.find(id);
    if (!socket || socket->state != Socket::State::connected) return;
    if (socket->is_recoverable) {
        const std::string nsp(parts_->sockets.namespace_of(*socket));
        return parts_->commands.record(
            {{nsp, {socket->sid}, {}}, std::string(data), attachments, false}, true);
    }
    if (!parts_->barrier.is_closed()) return parts_->writer.send_event(id, data, attachments);
    parts_->barrier.defer(SendEvent{id, std::string(data), attachments});
}

void SocketCalls::acknowledge(SocketId id, socketio::AckId ack_id, std::string_view data,
                              const std::vector<std::string>& attachments) {
    if (!parts_->barrier.is_closed()) return parts_->writer.send_ack(id, ack_id, data, attachments);
    parts_->barrier.defer(SendAck{id, ack_id, std::string(data), attachments});
}

std::uint64_t SocketCalls::submit(SocketId id, std::string_view data) {
    return parts_->submissions.submit_for_application(id, data);
}

void SocketCalls::disconnect(SocketId id, bool close_connection, Instant now) {
    parts_->turn.now = now;
    parts_->commands.do_in_order(EndSocket{id, close_connection});
}

std::optional<Request> SocketCalls::request_of(SocketId id) const {
    const Socket* socket = parts_->sockets.find(id);
    if (!socket) return std::nullopt;
    return parts_->connections.find(socket->connection)->request.unpack();
}

std::string_view SocketCalls::sid_of(SocketId id) const {
    const Socket* socket = parts_->sockets.find(id);
    return socket ? std::string_view(socket->sid) : std::string_view();
}

ProducerId SocketCalls::producer_of(SocketId id) const {
    const Socket* socket = parts_->sockets.find(id);
    return socket ? Sockets::producer_of(*socket) : ProducerId();
}

std::vector<std::string> SocketCalls::rooms_of(SocketId id) const {
    auto rooms = parts_->audience.rooms_of(id);
    parts_->barrier.add_deferred_rooms(id, rooms);
    return rooms;
}

}  // namespace oncewire::hub
