// What a Hub sends to many: targets, broadcasts over all cores, and events that ask for an answer.
#include <algorithm>

#include "server/hub/hub_targets.hpp"
#include "server/hub/parts.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {
namespace {

/// The core that puts what is said to all cores in order, where recovery is off.
constexpr std::uint16_t ordering_core = 0;

std::vector<SharedFrame> encode_shared(const socketio::Packet& packet) {
    std::vector<SharedFrame> frames;
    for (auto& frame : socketio::encode(packet)) {
        frames.push_back(std::make_shared<const Frame>(std::move(frame)));
    }
    return frames;
}

}  // namespace

std::vector<SharedFrame> encode_plain(std::string_view nsp, const std::string& data,
                                      const std::vector<std::string>& attachments) {
    return encode_shared(
        {socketio::PacketType::event, std::string(nsp), std::nullopt, data, attachments});
}

// ---- over all cores -----------------------------------------------------------------------------

void Parts::broadcast(mail::Broadcast command) {
    if (options_.recovery && !command.is_volatile && !is_family(command.target)) {
        return record(std::move(command), false);
    }
    send_to_cores(std::move(command));
}

void Parts::broadcast_local(const mail::Broadcast& command) {
    if (!must_wait()) return broadcast_now(command);
    defer([this, command] { broadcast_now(command); });
}

void Parts::broadcast_now(const mail::Broadcast& command) {
    if (const auto* members = family_of(command.target)) {
        mail::Broadcast part = command;
        for (const auto& nsp : *members) {
            part.target.nsp = nsp;
            broadcast_now(part);
        }
        return;
    }
    if (watches_broadcasts_) outputs_.push_back(BroadcastSent{command});
    const auto& [target, data, attachments, is_volatile] = command;
    const auto plain = encode_plain(target.nsp, data, attachments);
    // An unmodified client takes any string at the end for the position it has reached.
    std::vector<SharedFrame> placed;
    for_each(
        target, [&, is_volatile = is_volatile](SocketId, Socket& socket, Connection& connection) {
            if (socket.is_recoverable && placed.empty()) {
                placed = encode_with_position(command.target.nsp, command.data, command.attachments,
                                              log_state_.head.offset);
            }
            send_ephemeral(socket, connection, socket.is_recoverable ? placed : plain, is_volatile);
        });
}

void Parts::join_rooms(mail::JoinRooms command) { send_to_cores(std::move(command)); }

void Parts::leave_rooms(mail::LeaveRooms command) { send_to_cores(std::move(command)); }

void Parts::disconnect_sockets(mail::DisconnectSockets command) {
    send_to_cores(std::move(command));
}

void Parts::server_side_emit(std::string_view nsp, std::string_view data) {
    send_to_cores(mail::ServerSideEmit{options_.core, std::string(nsp), std::string(data)});
}

/// Everything goes through one core, so that all cores apply it in the same order.
void Parts::send_to_cores(mail::CoreCommand command) {
    auto shared = std::make_shared<const mail::CoreCommand>(std::move(command));
    if (options_.recovery) return relay(std::move(shared));
    if (options_.core != ordering_core) {
        outputs_.push_back(
            ToCore{ordering_core, {mail::CoreMail::Stage::to_be_ordered, std::move(shared)}});
        return;
    }
    handle_core_mail({mail::CoreMail::Stage::to_be_ordered, std::move(shared)}, now_);
}

void Parts::handle_core_mail(mail::CoreMail mail, Instant now) {
    now_ = now;
    if (mail.stage == mail::CoreMail::Stage::to_be_ordered) {
        for (std::uint16_t core = 0; core < options_.cores; ++core) {
            if (core == options_.core) continue;
            outputs_.push_back(ToCore{core, {mail::CoreMail::Stage::ordered, mail.command}});
        }
    }
    perform(*mail.command);
}

void Parts::perform(const mail::CoreCommand& command) {
    std::visit([this](const auto& one) { apply(one); }, command);
}

void Parts::apply(const mail::Broadcast& command) { broadcast_now(command); }

void Parts::apply(const mail::JoinRooms& command) {
    for (const SocketId id : sockets(command.target)) {
        for (const auto& room : command.rooms) {
            if (enter(id, store::log_room(command.target.nsp, room))) note_room(id, room, true);
        }
    }
}

void Parts::apply(const mail::LeaveRooms& command) {
    for (const SocketId id : sockets(command.target)) {
        for (const auto& room : command.rooms) {
            if (rooms_.leave(id, store::log_room(command.target.nsp, room)))
                note_room(id, room, false);
        }
    }
}

void Parts::apply(const mail::DisconnectSockets& command) {
    for (const SocketId id : sockets(command.target)) disconnect_now(id, command.close_connection);
}

void Parts::apply(const mail::ServerSideEmit& command) {
    if (command.from != options_.core) {
        outputs_.push_back(ServerSideEvent{command.nsp, command.data});
    }
}

// ---- questions ----------------------------------------------------------------------------------

std::uint64_t Parts::ask_cores(mail::CoreQuestion question) {
    question.from = options_.core;
    question.number = ++newest_question_;
    send_to_cores(std::move(question));
    return newest_question_;
}

void Parts::answer(const mail::CoreQuestion& question, std::string_view data,
                   const std::vector<std::string>& attachments, bool is_last) {
    mail::CoreAnswer answer{options_.core, question.number, std::string(data), attachments,
                            is_last};
    if (question.from == options_.core) return apply(answer);
    auto command = std::make_shared<const mail::CoreCommand>(std::move(answer));
    outputs_.push_back(ToCore{question.from, {mail::CoreMail::Stage::ordered, std::move(command)}});
}

void Parts::apply(const mail::CoreQuestion& question) {
    outputs_.push_back(QuestionArrived{question});
}

void Parts::apply(const mail::CoreAnswer& answer) {
    outputs_.push_back(
        AnswerArrived{answer.number, answer.from, answer.data, answer.attachments, answer.is_last});
}

// ---- targets ------------------------------------------------------------------------------------

std::vector<SocketId> Parts::sockets(const mail::Target& target) {
    std::vector<SocketId> found;
    const auto take = [&](SocketId id, Socket&, Connection&) { found.push_back(id); };
    const auto* members = family_of(target);
    if (!members) {
        for_each(target, take);
        return found;
    }
    mail::Target part = target;
    for (const auto& nsp : *members) {
        part.nsp = nsp;
        for_each(part, take);
    }
    return found;
}

void Parts::add_to_family(std::string_view family, std::string_view nsp) {
    families_[std::string(family)].emplace_back(nsp);
}

void Parts::remove_from_family(std::string_view family, std::string_view nsp) {
    const auto found = families_.find(family);
    if (found == families_.end()) return;
    std::erase(found->second, nsp);
    if (found->second.empty()) families_.erase(found);
}

/// A comma ends the name of a namespace on the wire, so no client can open one that has it.
bool Parts::is_family(const mail::Target& target) {
    return !target.nsp.empty() && target.nsp.back() == ',';
}

/// None if the target is a namespace like any other.
const std::vector<std::string>* Parts::family_of(const mail::Target& target) const {
    const auto found = families_.find(target.nsp);
    return found == families_.end() ? nullptr : &found->second;
}

std::vector<std::string> Parts::rooms_of(SocketId id) const {
    std::vector<std::string> names;
    for (const auto& room : rooms_.rooms_of(id)) {
        auto name = room.substr(room.find(',') + 1);
        if (!name.empty()) names.push_back(std::move(name));  // "" is the room of everybody
    }
    add_deferred_rooms(id, names);
    return names;
}

// ---- answers ------------------------------------------------------------------------------------

socketio::AckId Parts::emit_with_ack(const std::vector<SocketId>& to, std::string_view nsp,
                                     std::string_view data,
                                     const std::vector<std::string>& attachments,
                                     std::optional<Millis> timeout) {
    const auto deadline = timeout ? std::optional(now_ + *timeout) : std::nullopt;
    const socketio::AckId ack_id = acks_.expect(deadline);
    auto& waiting = ack_waiters_[ack_id];
    const auto frames = encode_shared(
        {socketio::PacketType::event, std::string(nsp), ack_id, std::string(data), attachments});
    for (const SocketId id : to) {
        Socket* socket = find_socket(id);
        if (!socket || socket->state != SocketState::connected) continue;
        waiting.push_back(id);
        socket->awaited_acks.push_back(ack_id);
        if (must_wait()) {
            defer([this, id, frames] { send_frames(id, frames); });
        } else {
            send_frames(id, frames);
        }
    }
    if (waiting.empty()) finish_acks(ack_id, AcksFinished::Why::complete);
    return ack_id;
}

void Parts::send_frames(SocketId id, const std::vector<SharedFrame>& frames) {
    const Socket* socket = find_socket(id);
    if (!socket) return;
    Connection& connection = *find_connection(socket->connection);
    for (const auto& frame : frames) enqueue_or_end(*socket, connection, frame);
}

void Parts::handle_ack(ConnectionId connection, peer::AckReceived ack) {
    const SocketId id = known_connection(connection)->sockets[ack.index];
    const auto ack_id = *ack.packet.ack_id;
    // Unknown, repeated and late answers are allowed and ignored; so is an answer to somebody else's.
    if (!stop_waiting(id, ack_id)) return;
    outputs_.push_back(
        AckArrived{id, ack_id, std::move(ack.packet.data), std::move(ack.packet.attachments)});
    if (ack_waiters_[ack_id].empty()) finish_acks(ack_id, AcksFinished::Why::complete);
}

bool Parts::stop_waiting(SocketId id, socketio::AckId ack_id) {
    const auto found = ack_waiters_.find(ack_id);
    if (found == ack_waiters_.end() || std::erase(found->second, id) == 0) return false;
    std::erase(known_socket(id)->awaited_acks, ack_id);
    return true;
}

void Parts::finish_acks(socketio::AckId ack_id, AcksFinished::Why why) {
    acks_.settle(ack_id);
    const auto found = ack_waiters_.find(ack_id);
    for (const SocketId id : found->second) std::erase(known_socket(id)->awaited_acks, ack_id);
    ack_waiters_.erase(found);
    outputs_.push_back(AcksFinished{ack_id, why});
}

void Parts::abandon_acks(SocketId id) {
    const auto awaited = std::move(known_socket(id)->awaited_acks);
    for (const auto ack_id : awaited) {
        auto& waiting = ack_waiters_[ack_id];
        std::erase(waiting, id);
        if (waiting.empty()) finish_acks(ack_id, AcksFinished::Why::disconnected);
    }
}

void Parts::expire_acks() {
    for (const auto ack_id : acks_.expire(now_)) finish_acks(ack_id, AcksFinished::Why::timed_out);
}

}  // namespace oncewire::hub
