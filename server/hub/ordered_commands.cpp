#include "server/hub/ordered_commands.hpp"

#include <utility>
#include <variant>

#include "server/hub/frames.hpp"

namespace oncewire::hub {
namespace {

/// The core that puts what is said to all cores in order, where recovery is off.
constexpr std::uint16_t ordering_core = 0;

std::vector<std::string> log_rooms(std::string_view nsp, const std::vector<std::string>& rooms) {
    std::vector<std::string> names;
    for (const auto& room : rooms) names.push_back(store::log_room(nsp, room));
    return names;
}

/// As log_rooms(), and everybody if none is named.
std::vector<std::string> audience_of(const mail::Target& target) {
    if (target.rooms.empty()) return {store::log_room(target.nsp, "")};
    return log_rooms(target.nsp, target.rooms);
}

/// The inverse of audience_of() and log_rooms().
mail::Target target_of(const store::RecordedEvent& event) {
    mail::Target target{event.nsp, {}, {}};
    const auto prefix = event.nsp.size() + 1;
    for (const auto& room : event.rooms) target.rooms.push_back(room.substr(prefix));
    for (const auto& room : event.except) target.except.push_back(room.substr(prefix));
    return target;
}

}  // namespace

// ---- the application ----------------------------------------------------------------------------

void OrderedCommands::broadcast(mail::Broadcast command) {
    const bool is_family = NamespaceFamilies::is_family(command.target.nsp);
    if (uses_.options.server.connection_state_recovery && !command.is_volatile && !is_family)
        return record(std::move(command), false);
    send_to_cores(std::move(command));
}

void OrderedCommands::send_to_cores(mail::CoreCommand command) {
    auto shared = std::make_shared<const mail::CoreCommand>(std::move(command));
    if (uses_.options.server.connection_state_recovery) return relay(std::move(shared));
    mail::CoreMail mail{mail::CoreMail::Stage::to_be_ordered, std::move(shared)};
    if (uses_.options.core == ordering_core) return handle(mail);
    uses_.turn.outputs.push_back(ToCore{ordering_core, std::move(mail)});
}

void OrderedCommands::relay(std::shared_ptr<const mail::CoreCommand> command) {
    mail::Relay relay;
    relay.from = uses_.options.core;
    const auto affect = [&](const mail::Target& target) -> mail::SessionEffect& {
        relay.effect.emplace();
        relay.effect->rooms = audience_of(target);
        relay.effect->except = log_rooms(target.nsp, target.except);
        return *relay.effect;
    };
    if (const auto* join = std::get_if<mail::JoinRooms>(&*command)) {
        affect(join->target).joined = log_rooms(join->target.nsp, join->rooms);
    } else if (const auto* leave = std::get_if<mail::LeaveRooms>(&*command)) {
        affect(leave->target).left = log_rooms(leave->target.nsp, leave->rooms);
    } else if (const auto* end = std::get_if<mail::DisconnectSockets>(&*command)) {
        affect(end->target).ends = true;
    }
    relay.letter = std::move(command);
    uses_.barrier.note_sent();
    uses_.turn.outputs.push_back(ToStore{std::move(relay)});
}

void OrderedCommands::record(mail::Broadcast command, bool is_direct) {
    mail::Record record;
    record.from = uses_.options.core;
    record.event.rooms = audience_of(command.target);
    record.event.except = log_rooms(command.target.nsp, command.target.except);
    record.event.nsp = std::move(command.target.nsp);
    record.event.data = std::move(command.data);
    record.event.attachments = std::move(command.attachments);
    record.is_direct = is_direct;
    uses_.barrier.note_sent();
    uses_.turn.outputs.push_back(ToStore{std::move(record)});
}

void OrderedCommands::do_in_order(Deferred deferred) {
    if (uses_.barrier.is_closed()) return uses_.barrier.defer(std::move(deferred));
    std::visit([this](const auto& one) { apply(one); }, deferred);
}

std::uint64_t OrderedCommands::ask_cores(mail::CoreQuestion question) {
    question.from = uses_.options.core;
    question.number = ++newest_question_;
    send_to_cores(std::move(question));
    return newest_question_;
}

void OrderedCommands::answer(const mail::CoreQuestion& question, mail::CoreAnswer answer) {
    if (question.from == uses_.options.core) return apply(answer);
    auto command = std::make_shared<const mail::CoreCommand>(std::move(answer));
    uses_.turn.outputs.push_back(
        ToCore{question.from, {mail::CoreMail::Stage::ordered, std::move(command)}});
}

// ---- other cores, and the sequencer -------------------------------------------------------------

void OrderedCommands::handle(const mail::CoreMail& mail) {
    if (mail.stage == mail::CoreMail::Stage::to_be_ordered) {
        for (std::uint16_t core = 0; core < uses_.options.server.cores; ++core) {
            if (core == uses_.options.core) continue;
            uses_.turn.outputs.push_back(
                ToCore{core, {mail::CoreMail::Stage::ordered, mail.command}});
        }
    }
    perform(*mail.command);
}

void OrderedCommands::handle(const mail::Relayed& relayed) {
    relayed_ = relayed.number;
    if (relayed.letter) perform(*relayed.letter);
    relayed_ = 0;
    if (relayed.from == uses_.options.core) perform_deferred();
}

void OrderedCommands::handle(const mail::Recorded& recorded) {
    if (recorded.event) deliver(recorded);
    if (recorded.from == uses_.options.core) perform_deferred();
}

void OrderedCommands::perform_deferred() {
    uses_.barrier.note_back();
    while (const auto deferred = uses_.barrier.take())
        std::visit([this](const auto& one) { apply(one); }, *deferred);
}

void OrderedCommands::deliver(const mail::Recorded& recorded) {
    const auto& event = *recorded.event;
    if (recorded.is_stored && !uses_.readers.note_recorded(event.offset)) return;
    mail::Target target = target_of(event);
    if (watches_broadcasts_ && !recorded.is_direct)
        uses_.turn.outputs.push_back(BroadcastSent{{target, event.data, event.attachments, false}});
    std::vector<SharedFrame> placed;
    std::vector<SharedFrame> plain;
    uses_.audience.for_each(target, [&](SocketId, Socket& socket, Connection& connection) {
        if (!socket.is_recoverable) {
            if (plain.empty()) plain = encode_plain(event.nsp, event.data, event.attachments);
            return uses_.writer.enqueue_ephemeral(socket, connection, plain, false);
        }
        if (placed.empty())
            placed = encode_with_position(event.nsp, event.data, event.attachments,
                                          uses_.readers.quoted_head());
        if (!recorded.is_stored)
            return uses_.writer.enqueue_ephemeral(socket, connection, placed, false);
        uses_.readers.hand_over_recorded(socket, connection, event.offset, placed);
    });
}

// ---- commands -----------------------------------------------------------------------------------

void OrderedCommands::perform(const mail::CoreCommand& command) {
    std::visit([this](const auto& one) { apply(one); }, command);
}

void OrderedCommands::broadcast_here(const mail::Broadcast& command) {
    if (const auto* family = uses_.audience.families().find(command.target.nsp)) {
        mail::Broadcast part = command;
        for (const auto& nsp : *family) {
            part.target.nsp = nsp;
            broadcast_here(part);
        }
        return;
    }
    if (watches_broadcasts_) uses_.turn.outputs.push_back(BroadcastSent{command});
    const auto& [target, data, attachments, is_volatile] = command;
    const auto plain = encode_plain(target.nsp, data, attachments);
    // An unmodified client takes any string at the end for the position it has reached.
    std::vector<SharedFrame> placed;
    const auto send = [&](SocketId, Socket& socket, Connection& connection) {
        if (socket.is_recoverable && placed.empty()) {
            placed = encode_with_position(command.target.nsp, command.data, command.attachments,
                                          uses_.readers.quoted_head());
        }
        uses_.writer.enqueue_ephemeral(socket, connection, socket.is_recoverable ? placed : plain,
                                       command.is_volatile);
    };
    uses_.audience.for_each(target, send);
}

void OrderedCommands::apply(const mail::Broadcast& command) { broadcast_here(command); }

void OrderedCommands::apply(const mail::JoinRooms& command) {
    for (const SocketId id : uses_.audience.sockets(command.target)) {
        for (const auto& room : command.rooms) {
            if (uses_.audience.enter(id, store::log_room(command.target.nsp, room)))
                uses_.recovery.note_room(id, room, true, relayed_);
        }
    }
}

void OrderedCommands::apply(const mail::LeaveRooms& command) {
    for (const SocketId id : uses_.audience.sockets(command.target)) {
        for (const auto& room : command.rooms) {
            if (uses_.audience.leave(id, store::log_room(command.target.nsp, room)))
                uses_.recovery.note_room(id, room, false, relayed_);
        }
    }
}

void OrderedCommands::apply(const mail::DisconnectSockets& command) {
    for (const SocketId id : uses_.audience.sockets(command.target))
        uses_.lifecycle.disconnect(id, command.close_connection);
}

void OrderedCommands::apply(const mail::ServerSideEmit& command) {
    if (command.from != uses_.options.core)
        uses_.turn.outputs.push_back(ServerSideEvent{command.nsp, command.data});
}

void OrderedCommands::apply(const mail::CoreQuestion& question) {
    uses_.turn.outputs.push_back(QuestionArrived{question});
}

void OrderedCommands::apply(const mail::CoreAnswer& answer) {
    uses_.turn.outputs.push_back(
        AnswerArrived{answer.number, answer.from, answer.data, answer.attachments, answer.is_last});
}

}  // namespace oncewire::hub
