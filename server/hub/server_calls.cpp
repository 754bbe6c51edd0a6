#include "server/hub/server_calls.hpp"

#include <utility>

#include "server/hub/frames.hpp"
#include "server/hub/parts.hpp"

namespace oncewire::hub {

void ServerCalls::broadcast(mail::Broadcast command) {
    parts_->commands.broadcast(std::move(command));
}

void ServerCalls::broadcast_local(const mail::Broadcast& command) {
    parts_->commands.do_in_order(SendBroadcast{command});
}

void ServerCalls::join_rooms(mail::JoinRooms command) {
    parts_->commands.send_to_cores(std::move(command));
}

void ServerCalls::leave_rooms(mail::LeaveRooms command) {
    parts_->commands.send_to_cores(std::move(command));
}

void ServerCalls::disconnect_sockets(mail::DisconnectSockets command) {
    parts_->commands.send_to_cores(std::move(command));
}

void ServerCalls::server_side_emit(std::string_view nsp, std::string_view data) {
    parts_->commands.send_to_cores(
        mail::ServerSideEmit{parts_->options.core, std::string(nsp), std::string(data)});
}

std::uint64_t ServerCalls::ask_cores(mail::CoreQuestion question) {
    return parts_->commands.ask_cores(std::move(question));
}

void ServerCalls::answer(const mail::CoreQuestion& question, std::string_view data,
                         const std::vector<std::string>& attachments, bool is_last) {
    parts_->commands.answer(
        question, {parts_->options.core, question.number, std::string(data), attachments, is_last});
}

void ServerCalls::watch_broadcasts(bool on) { parts_->commands.watch_broadcasts(on); }

std::uint16_t ServerCalls::core() const { return parts_->options.core; }

std::uint16_t ServerCalls::core_count() const { return parts_->options.server.cores; }

socketio::AckId ServerCalls::emit_with_ack(const std::vector<SocketId>& to, std::string_view nsp,
                                           std::string_view data,
                                           const std::vector<std::string>& attachments,
                                           std::optional<Millis> timeout) {
    Parts& parts = *parts_;
    const auto deadline = timeout ? std::optional(parts.turn.now + *timeout) : std::nullopt;
    const socketio::AckId ack_id = parts.acks.begin(deadline);
    const auto frames = encode_shared(
        {socketio::PacketType::event, std::string(nsp), ack_id, std::string(data), attachments});
    for (const SocketId id : to) {
        const Socket* socket = parts.sockets.find(id);
        if (!socket || socket->state != Socket::State::connected) continue;
        parts.acks.wait_for(ack_id, id);
        parts.commands.do_in_order(SendFrames{id, frames});
    }
    if (parts.acks.end_if_complete(ack_id))
        parts.turn.outputs.push_back(AcksFinished{ack_id, AcksFinished::Why::complete});
    return ack_id;
}

void ServerCalls::add_to_family(std::string_view family, std::string_view nsp) {
    parts_->audience.families().add(family, nsp);
}

void ServerCalls::remove_from_family(std::string_view family, std::string_view nsp) {
    parts_->audience.families().remove(family, nsp);
}

void ServerCalls::wake_at(Instant when) { parts_->wake_at = earliest(parts_->wake_at, when); }

void ServerCalls::end_task(std::uint64_t id, bool is_done) {
    parts_->turn.outputs.push_back(ToStore{mail::TaskEnded{id, is_done}});
}

std::vector<SocketId> ServerCalls::sockets(const mail::Target& target) const {
    return parts_->audience.sockets(target);
}

}  // namespace oncewire::hub
