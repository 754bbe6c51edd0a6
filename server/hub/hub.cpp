#include "server/hub/hub.hpp"

#include <utility>
#include <variant>

#include "server/hub/parts.hpp"
#include "shared/base/overloaded.hpp"

namespace oncewire::hub {

Hub::Hub(Options options)
    : parts_(std::make_unique<Parts>(std::move(options))), sockets_(*parts_), server_(*parts_) {}
Hub::~Hub() = default;
Hub::Hub(Hub&&) noexcept = default;
Hub& Hub::operator=(Hub&&) noexcept = default;

// ---- the application ----------------------------------------------------------------------------

void Hub::send(ConnectionId id, FrameView message) {
    Connection* connection = parts_->connections.find(id);
    if (!connection) return;
    Frame frame = message.type == FrameType::binary
                      ? engineio::encode_binary(std::string(message.bytes))
                      : engineio::encode_frame(engineio::PacketType::message, message.bytes);
    parts_->connections.enqueue_or_end(*connection, id,
                                       std::make_shared<const Frame>(std::move(frame)));
}

// ---- connections --------------------------------------------------------------------------------

SecretPool& Hub::secrets() { return parts_->secrets; }

ConnectionId Hub::handle_accept(const Request& request, Instant now) {
    parts_->turn.now = now;
    const ConnectionId id =
        parts_->connections.open(request, parts_->secrets.take(Connections::id_bytes));
    parts_->peers.pump(id);
    return id;
}

void Hub::handle_frame(ConnectionId id, FrameView frame, Instant now) {
    parts_->turn.now = now;
    Connection* connection = parts_->connections.find(id);
    if (!connection) return;
    ++parts_->turn.counts.frames_in;
    connection->peer->handle_frame(engineio::Channel::current, frame, now);
    parts_->connections.bound_collected(*connection);
    parts_->peers.pump(id);
}

void Hub::handle_written(ConnectionId id, Instant now) {
    parts_->turn.now = now;
    Connection* connection = parts_->connections.find(id);
    if (!connection) return;
    parts_->connections.handle_written(*connection, id);
    parts_->readers.resume(*connection);
    parts_->submissions.send_lookups(id);
}

void Hub::handle_transport_closed(ConnectionId id, engineio::CloseReason reason, Instant now) {
    parts_->turn.now = now;
    Connection* connection = parts_->connections.find(id);
    if (!connection) return;
    connection->peer->handle_transport_closed(reason);
    parts_->peers.pump(id);
}

bool Hub::handle_probe_opened(ConnectionId id, Instant now) {
    parts_->turn.now = now;
    Connection* connection = parts_->connections.find(id);
    if (!connection || !connection->peer->handle_probe_opened(now)) return false;
    parts_->peers.pump(id);
    return true;
}

void Hub::handle_probe_frame(ConnectionId id, FrameView frame, Instant now) {
    parts_->turn.now = now;
    Connection* connection = parts_->connections.find(id);
    if (!connection) return;
    ++parts_->turn.counts.frames_in;
    connection->peer->handle_frame(engineio::Channel::probe, frame, now);
    parts_->peers.pump(id);
}

void Hub::handle_probe_closed(ConnectionId id, Instant now) {
    parts_->turn.now = now;
    if (Connection* connection = parts_->connections.find(id))
        connection->peer->handle_probe_closed();
}

std::optional<std::uint16_t> Hub::owner_of(std::string_view engine_sid) {
    return Connections::owner_of(engine_sid);
}

std::optional<ConnectionId> Hub::find_by_sid(std::string_view engine_sid) const {
    return parts_->connections.find_by_sid(engine_sid);
}

ConnectionStatus Hub::status_of(ConnectionId id) const {
    const Connection* connection = parts_->connections.find(id);
    if (!connection) return {};
    const auto& session = connection->peer->session();
    return {session.handshake().sid.text, session.state(), connection->queue_bytes};
}

// ---- mail ---------------------------------------------------------------------------------------

void Hub::handle_mail(mail::FromSequencer mail, Instant now) {
    parts_->turn.now = now;
    Parts& parts = *parts_;
    std::visit(
        Overloaded{
            [&](const mail::LogState& state) {
                if (!parts.readers.handle(state)) shut_down(now);
            },
            [&](const mail::Published& published) { parts.readers.handle(published); },
            [&](const mail::Page& page) {
                if (!parts.readers.handle(page)) parts.lifecycle.cut(page.to.session);
            },
            [&](const mail::Attached& attached) { parts.lifecycle.handle(attached); },
            [&](const mail::AttachRefused& refused) { parts.lifecycle.handle(refused); },
            [&](const mail::SessionOpened& opened) { parts.lifecycle.handle(opened); },
            [&](const mail::Cut& cut) { parts.lifecycle.cut(cut.to.session); },
            // Another link attached the same producer: one of the two is a zombie, and nobody here can tell
            // which, because a CONNECT may arrive long after its sender went elsewhere. So this one is closed
            // but may come back: a living client does, and then fences the zombie; told to stay away, it
            // would be lost.
            [&](const mail::Fence& fence) { parts.lifecycle.cut(fence.to.session); },
            [&](const mail::Recorded& recorded) { parts.commands.handle(recorded); },
            [&](const mail::Relayed& relayed) { parts.commands.handle(relayed); },
            [&](const mail::RunTask& run) { parts.turn.outputs.push_back(TaskArrived{run.task}); },
            [&](const auto& answer) { parts.submissions.handle(answer); },
        },
        mail);
}

void Hub::handle_core_mail(mail::CoreMail mail, Instant now) {
    parts_->turn.now = now;
    parts_->commands.handle(mail);
}

// ---- time, and what comes out -------------------------------------------------------------------

void Hub::handle_timeout(Instant now) {
    Parts& parts = *parts_;
    parts.turn.now = now;
    while (const auto id = parts.connections.handle_timeout()) parts.peers.pump(*id);
    for (const auto ack_id : parts.acks.expire(now))
        parts.turn.outputs.push_back(AcksFinished{ack_id, AcksFinished::Why::timed_out});
    if (parts.wake_at && *parts.wake_at <= now) {
        parts.wake_at.reset();
        parts.turn.outputs.push_back(Woken{});
    }
    parts.readers.handle_timeout();
}

std::optional<Instant> Hub::next_timeout() const {
    return earliest(earliest(parts_->connections.next_timeout(), parts_->wake_at),
                    earliest(parts_->readers.next_timeout(), parts_->acks.next_timeout()));
}

void Hub::shut_down(Instant now) {
    parts_->turn.now = now;
    parts_->connections.for_each([this](ConnectionId id, Connection& connection) {
        connection.peer->close(socketio::DisconnectReason::server_shutting_down);
        parts_->peers.pump(id);
    });
}

std::optional<HubOutput> Hub::poll_output() {
    Parts& parts = *parts_;
    parts.peers.end_overflowed();
    parts.submissions.send_next_lookups();
    if (auto output = parts.turn.outputs.poll()) return output;
    if (parts.held.has_new() || parts.readers.has_new()) {
        parts.lifecycle.answer_new_connects();
        parts.readers.start_new();
        if (auto output = parts.turn.outputs.poll()) return output;
    }
    if (auto write = parts.connections.poll_write()) return HubOutput(std::move(*write));
    return std::nullopt;
}

std::vector<RoomReader> Hub::readers_of(std::string_view room, delivery::Offset offset) const {
    return parts_->readers.readers_of(room, offset);
}

const HubCounts& Hub::counts() const { return parts_->turn.counts; }

}  // namespace oncewire::hub
