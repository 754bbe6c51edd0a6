// What a Hub sends to many: targets, broadcasts over all cores, and events that ask for an answer.
#include <algorithm>

#include "server/hub/hub.hpp"
#include "shared/base/verify.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {
namespace {

/// The core that puts what is said to all cores in order.
constexpr std::uint16_t ordering_core = 0;

std::vector<SharedFrame> encode_shared(const socketio::Packet& packet) {
    std::vector<SharedFrame> frames;
    for (auto& frame : socketio::encode(packet)) {
        frames.push_back(std::make_shared<const Frame>(std::move(frame)));
    }
    return frames;
}

}  // namespace

// ---- over all cores -----------------------------------------------------------------------------

void Hub::broadcast(Broadcast command) { send_to_cores(std::move(command)); }

void Hub::broadcast_local(const Broadcast& command) {
    if (const auto* members = family_of(command.target)) {
        Broadcast part = command;
        for (const auto& nsp : *members) {
            part.target.nsp = nsp;
            broadcast_local(part);
        }
        return;
    }
    const auto frames = encode_shared({socketio::PacketType::event, command.target.nsp,
                                       std::nullopt, command.data, command.attachments});
    if (watches_broadcasts_) outputs_.push_back(BroadcastSent{command});
    for_each(command.target, [&](SocketId, Socket& socket) {
        Connection& connection = *find_connection(socket.connection);
        const bool busy = connection.writing || !connection.queue.empty();
        if (connection.queue_bytes > limits::send_queue_bytes || (command.is_volatile && busy)) {
            ++counts_.ephemeral_dropped;
            return;
        }
        for (const auto& frame : frames) enqueue(connection, socket.connection, frame);
    });
}

void Hub::join_rooms(JoinRooms command) { send_to_cores(std::move(command)); }

void Hub::leave_rooms(LeaveRooms command) { send_to_cores(std::move(command)); }

void Hub::disconnect_sockets(DisconnectSockets command) { send_to_cores(std::move(command)); }

void Hub::server_side_emit(std::string_view nsp, std::string_view data) {
    send_to_cores(ServerSideEmit{options_.core, std::string(nsp), std::string(data)});
}

/// Everything goes through one core, so that all cores apply it in the same order.
void Hub::send_to_cores(CoreCommand command) {
    auto shared = std::make_shared<const CoreCommand>(std::move(command));
    if (options_.core != ordering_core) {
        outputs_.push_back(
            ToCore{ordering_core, {CoreMail::Stage::to_be_ordered, std::move(shared)}});
        return;
    }
    handle_core_mail({CoreMail::Stage::to_be_ordered, std::move(shared)}, now_);
}

void Hub::handle_core_mail(CoreMail mail, Instant now) {
    now_ = now;
    if (mail.stage == CoreMail::Stage::to_be_ordered) {
        for (std::uint16_t core = 0; core < options_.cores; ++core) {
            if (core == options_.core) continue;
            outputs_.push_back(ToCore{core, {CoreMail::Stage::ordered, mail.command}});
        }
    }
    std::visit([this](const auto& command) { apply(command); }, *mail.command);
}

void Hub::apply(const Broadcast& command) { broadcast_local(command); }

void Hub::apply(const JoinRooms& command) {
    for (const SocketId id : sockets(command.target)) {
        for (const auto& room : command.rooms) join(id, room);
    }
}

void Hub::apply(const LeaveRooms& command) {
    for (const SocketId id : sockets(command.target)) {
        for (const auto& room : command.rooms) leave(id, room);
    }
}

void Hub::apply(const DisconnectSockets& command) {
    for (const SocketId id : sockets(command.target))
        disconnect(id, command.close_connection, now_);
}

void Hub::apply(const ServerSideEmit& command) {
    if (command.from != options_.core) {
        outputs_.push_back(ServerSideEvent{command.nsp, command.data});
    }
}

// ---- questions ----------------------------------------------------------------------------------

std::uint64_t Hub::ask_cores(Question question) {
    question.from = options_.core;
    question.number = ++newest_question_;
    send_to_cores(std::move(question));
    return newest_question_;
}

void Hub::answer(const Question& question, std::string_view data,
                 const std::vector<std::string>& attachments, bool is_last) {
    Answer answer{options_.core, question.number, std::string(data), attachments, is_last};
    if (question.from == options_.core) return apply(answer);
    auto command = std::make_shared<const CoreCommand>(std::move(answer));
    outputs_.push_back(ToCore{question.from, {CoreMail::Stage::ordered, std::move(command)}});
}

void Hub::apply(const Question& question) { outputs_.push_back(QuestionArrived{question}); }

void Hub::apply(const Answer& answer) {
    outputs_.push_back(
        AnswerArrived{answer.number, answer.from, answer.data, answer.attachments, answer.is_last});
}

// ---- targets ------------------------------------------------------------------------------------

template <class Visit>
void Hub::for_each(const Target& target, Visit visit) {
    static const std::vector<std::string> everybody = {""};
    const auto& rooms = target.rooms.empty() ? everybody : target.rooms;
    // One room and nobody left out is the common case and needs no marks.
    const bool plain = rooms.size() == 1 && target.except.empty();
    const std::uint64_t mark = ++newest_mark_;
    for (const auto& room : target.except) {
        for (const SocketId id : rooms_.members(store::log_room(target.nsp, room))) {
            find_socket(id)->mark = mark;
        }
    }
    for (const auto& room : rooms) {
        for (const SocketId id : rooms_.members(store::log_room(target.nsp, room))) {
            Socket& socket = *find_socket(id);
            if (socket.state != SocketState::connected) continue;
            if (!plain && std::exchange(socket.mark, mark) == mark) continue;
            visit(id, socket);
        }
    }
}

std::vector<SocketId> Hub::sockets(const Target& target) {
    std::vector<SocketId> found;
    const auto take = [&](SocketId id, Socket&) { found.push_back(id); };
    const auto* members = family_of(target);
    if (!members) {
        for_each(target, take);
        return found;
    }
    Target part = target;
    for (const auto& nsp : *members) {
        part.nsp = nsp;
        for_each(part, take);
    }
    return found;
}

void Hub::add_to_family(std::string_view family, std::string_view nsp) {
    families_[std::string(family)].emplace_back(nsp);
}

void Hub::remove_from_family(std::string_view family, std::string_view nsp) {
    const auto found = families_.find(family);
    if (found == families_.end()) return;
    std::erase(found->second, nsp);
    if (found->second.empty()) families_.erase(found);
}

/// None if the target is a namespace like any other.
const std::vector<std::string>* Hub::family_of(const Target& target) const {
    const auto found = families_.find(target.nsp);
    return found == families_.end() ? nullptr : &found->second;
}

std::vector<std::string> Hub::rooms_of(SocketId id) const {
    std::vector<std::string> names;
    for (const auto& room : rooms_.rooms_of(id)) {
        auto name = room.substr(room.find(',') + 1);
        if (!name.empty()) names.push_back(std::move(name));  // "" is the room of everybody
    }
    return names;
}

// ---- answers ------------------------------------------------------------------------------------

socketio::AckId Hub::emit_with_ack(const std::vector<SocketId>& to, std::string_view nsp,
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
        Connection& connection = *find_connection(socket->connection);
        for (const auto& frame : frames) enqueue(connection, socket->connection, frame);
    }
    if (waiting.empty()) finish_acks(ack_id, AcksFinished::Why::complete);
    return ack_id;
}

void Hub::handle_ack(ConnectionId connection, peer::AckReceived ack) {
    const SocketId id = find_connection(connection)->sockets[ack.index];
    const auto ack_id = *ack.packet.ack_id;
    // Unknown, repeated and late answers are allowed and ignored; so is an answer to somebody else's.
    if (!stop_waiting(id, ack_id)) return;
    outputs_.push_back(
        AckArrived{id, ack_id, std::move(ack.packet.data), std::move(ack.packet.attachments)});
    if (ack_waiters_[ack_id].empty()) finish_acks(ack_id, AcksFinished::Why::complete);
}

bool Hub::stop_waiting(SocketId id, socketio::AckId ack_id) {
    const auto found = ack_waiters_.find(ack_id);
    if (found == ack_waiters_.end() || std::erase(found->second, id) == 0) return false;
    std::erase(find_socket(id)->awaited_acks, ack_id);
    return true;
}

void Hub::finish_acks(socketio::AckId ack_id, AcksFinished::Why why) {
    acks_.settle(ack_id);
    const auto found = ack_waiters_.find(ack_id);
    for (const SocketId id : found->second) std::erase(find_socket(id)->awaited_acks, ack_id);
    ack_waiters_.erase(found);
    outputs_.push_back(AcksFinished{ack_id, why});
}

void Hub::abandon_acks(SocketId id) {
    const auto awaited = std::move(find_socket(id)->awaited_acks);
    for (const auto ack_id : awaited) {
        auto& waiting = ack_waiters_[ack_id];
        std::erase(waiting, id);
        if (waiting.empty()) finish_acks(ack_id, AcksFinished::Why::disconnected);
    }
}

void Hub::expire_acks() {
    for (const auto ack_id : acks_.expire(now_)) finish_acks(ack_id, AcksFinished::Why::timed_out);
}

}  // namespace oncewire::hub
