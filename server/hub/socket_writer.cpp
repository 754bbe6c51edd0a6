#include "server/hub/socket_writer.hpp"

#include <memory>
#include <utility>

#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {

void SocketWriter::enqueue(const Socket& socket, Connection& connection, SharedFrame frame) {
    if (!socket.is_held)
        return connections_.enqueue(connection, socket.connection, std::move(frame));
    if (!connection.overflowed) held_.add(id_of(socket, connection), std::move(frame));
}

void SocketWriter::enqueue_or_end(const Socket& socket, Connection& connection, SharedFrame frame) {
    if (connection.overflowed) return;
    connections_.owe_more(connection, frame->bytes.size());
    enqueue(socket, connection, std::move(frame));
    if (connections_.owes_too_much(connection, waiting_bytes(socket, connection)))
        connections_.end_overflowed(connection, socket.connection);
}

std::uint64_t SocketWriter::waiting_bytes(const Socket& socket,
                                          const Connection& connection) const {
    const std::uint64_t held = socket.is_held ? held_.bytes_of(id_of(socket, connection)) : 0;
    return connection.queue_bytes + held;
}

void SocketWriter::enqueue_ephemeral(const Socket& socket, Connection& connection,
                                     const std::vector<SharedFrame>& frames, bool is_volatile) {
    const bool busy = connection.writing || !connection.queue.empty();
    // Its last argument says how far the client has read, so it must not pass what is still to come.
    const bool behind = socket.is_recoverable && socket.log.state != LogReader::State::live;
    if (behind || waiting_bytes(socket, connection) > options_.send_queue_bytes ||
        (is_volatile && busy)) {
        ++turn_.counts.ephemeral_dropped;
        return;
    }
    for (const auto& frame : frames) enqueue(socket, connection, frame);
}

void SocketWriter::send_packet(const Socket& socket, const socketio::Packet& packet) {
    Connection& connection = *connections_.known(socket.connection);
    for (auto& frame : socketio::encode(packet)) {
        enqueue_or_end(socket, connection, std::make_shared<const Frame>(std::move(frame)));
    }
}

void SocketWriter::send_event(SocketId id, std::string_view data,
                              const std::vector<std::string>& attachments) {
    const Socket* socket = sockets_.find(id);
    if (!socket || socket->state != Socket::State::connected) return;
    send_packet(*socket, {socketio::PacketType::event, std::string(sockets_.namespace_of(*socket)),
                          std::nullopt, std::string(data), attachments});
}

void SocketWriter::send_ack(SocketId id, socketio::AckId ack_id, std::string_view data,
                            const std::vector<std::string>& attachments) {
    const Socket* socket = sockets_.find(id);
    if (!socket || socket->state != Socket::State::connected) return;
    send_packet(*socket, {socketio::PacketType::ack, std::string(sockets_.namespace_of(*socket)),
                          ack_id, std::string(data), attachments});
}

void SocketWriter::send_frames(SocketId id, const std::vector<SharedFrame>& frames) {
    const Socket* socket = sockets_.find(id);
    if (!socket) return;
    Connection& connection = *connections_.find(socket->connection);
    for (const auto& frame : frames) enqueue_or_end(*socket, connection, frame);
}

}  // namespace oncewire::hub
