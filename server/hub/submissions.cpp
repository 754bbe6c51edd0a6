#include "server/hub/submissions.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "shared/base/limits.hpp"
#include "shared/peer/capability.hpp"

namespace oncewire::hub {
namespace {

/// Answers to the application's own submissions have ids beyond all that clients may give.
constexpr std::uint64_t first_own = limits::safe_integer;

bool is_own(std::optional<socketio::AckId> ack_id) { return ack_id && *ack_id > first_own; }

}  // namespace

// ---- in -----------------------------------------------------------------------------------------

bool Submissions::takes(std::string_view event) const {
    const auto& durable = options_.durable_events;
    return std::find(durable.begin(), durable.end(), event) != durable.end();
}

void Submissions::submit(SocketId id, const Socket& socket, socketio::Packet packet) {
    if (!packet.attachments.empty()) {
        if (packet.ack_id) {
            writer_.send_ack(
                id, *packet.ack_id,
                R"([{"error":"binary","message":"this event is stored, and stores text only"}])",
                {});
        }
        return;
    }
    send(socket.connection, {sockets_.ref(id),
                             std::string(sockets_.namespace_of(socket)),
                             std::move(packet.data),
                             socket.sid,
                             std::nullopt,
                             packet.ack_id,
                             socket.sender,
                             false,
                             {}});
}

bool Submissions::submit_keyed(SocketId id, const Socket& socket, const socketio::Packet& packet) {
    const auto send = peer::decode_send(packet.data);
    if (!send) return false;
    turn_.outputs.push_back(ToStore{mail::Submit{
        sockets_.ref(id),
        std::string(sockets_.namespace_of(socket)),
        std::string(send->message),
        socket.sid,
        mail::Submit::ProducerKey{socket.lane->producer, socket.lane->epoch, send->sequence,
                                  send->digest, send->renumbered || !socket.lane->renumbered},
        std::nullopt,
        socket.sender,
        false,
        {}}});
    return true;
}

std::uint64_t Submissions::submit_for_application(SocketId id, std::string_view data) {
    const std::uint64_t number = ++newest_;
    if (const Socket* socket = sockets_.find(id)) {
        send(socket->connection, {sockets_.ref(id), std::string(sockets_.namespace_of(*socket)),
                                  std::string(data), socket->sid, std::nullopt, first_own + number,
                                  socket->sender, true, sockets_.producer_of(*socket)});
    }
    return number;
}

void Submissions::send(ConnectionId connection, mail::Submit submit) {
    if (lookups_.is_lookup(submit.data)) return look_up(connection, std::move(submit));
    turn_.outputs.push_back(ToStore{std::move(submit)});
}

// ---- lookups ------------------------------------------------------------------------------------

/// Without an acknowledgement nobody would hear the answer.
void Submissions::look_up(ConnectionId connection, mail::Submit submit) {
    if (!submit.ack_id) return;
    const SocketId socket = submit.from.session;
    const socketio::AckId ack_id = *submit.ack_id;
    const auto refusal = lookups_.add(connection, std::move(submit));
    if (!refusal) return send_lookups(connection);
    if (is_own(ack_id)) {
        turn_.outputs.push_back(SubmitSettled{ack_id - first_own, *refusal});
    } else {
        writer_.send_ack(socket, ack_id, '[' + refusal->body + ']', {});
    }
}

void Submissions::send_lookups(ConnectionId id) {
    const Connection* connection = connections_.find(id);
    if (!connection || !connections_.has_room(*connection)) return;
    while (auto submit = lookups_.next(id)) turn_.outputs.push_back(ToStore{std::move(*submit)});
}

void Submissions::send_next_lookups() {
    for (const ConnectionId id : lookups_.take_answered()) send_lookups(id);
}

bool Submissions::drop_lookups(SocketId id, const Socket& socket) {
    return lookups_.drop(socket.connection, id);
}

/// False: it was none, or its socket is gone.
bool Submissions::end_lookup(const mail::SessionRef& to, std::optional<socketio::AckId> ack_id) {
    const Socket* socket = sockets_.find(to.session);
    return socket && ack_id && lookups_.end(socket->connection, to.session, *ack_id);
}

// ---- what the sequencer says --------------------------------------------------------------------

void Submissions::handle(const mail::Settled& settled) {
    peer::VerdictsEvent event{settled.first, {}};
    for (const auto& verdict : settled.verdicts) {
        event.verdicts.push_back({verdict.kind == store::Verdict::Kind::accepted, verdict.body});
    }
    writer_.send_event(settled.to.session, peer::encode(event), {});
}

/// Stock clients: errors first, as their callbacks expect, unless they said otherwise. null is also what
/// `retries` without ackTimeout takes for success.
void Submissions::handle(const mail::Answered& answered) {
    end_lookup(answered.to, answered.ack_id);
    if (is_own(answered.ack_id)) {
        turn_.outputs.push_back(SubmitSettled{answered.ack_id - first_own, answered.verdict});
        return;
    }
    const auto& [kind, body] = answered.verdict;
    const Socket* socket = sockets_.find(answered.to.session);
    const bool says_no_error =
        kind == store::Verdict::Kind::accepted && socket && !socket->wants_values;
    writer_.send_ack(answered.to.session, answered.ack_id,
                     (says_no_error ? "[null," : "[") + body + ']', {});
}

void Submissions::handle(const mail::Expect& expect) {
    writer_.send_event(expect.to.session, peer::encode(peer::ExpectEvent{expect.sequence}), {});
}

void Submissions::handle(const mail::Conflict& conflict) {
    writer_.send_event(conflict.to.session,
                       peer::encode(peer::ConflictEvent{conflict.sequence, conflict.last}), {});
}

/// Stock clients are not answered: an ack, even one that says no, would end their retries. What was only
/// asked can be asked again.
void Submissions::handle(const mail::RetryLater& later) {
    const bool was_lookup = end_lookup(later.to, later.ack_id);
    if (is_own(later.ack_id)) {
        turn_.outputs.push_back(SubmitSettled{*later.ack_id - first_own, std::nullopt});
        return;
    }
    if (was_lookup) {
        return writer_.send_ack(later.to.session, *later.ack_id,
                                R"([{"error":"later","message":"not now; ask again"}])", {});
    }
    const Socket* socket = sockets_.find(later.to.session);
    if (!socket || !socket->lane) return;
    writer_.send_event(later.to.session, peer::encode(peer::LaterEvent{later.after}), {});
}

/// A client that does not know the word would take it for a violation; it waits for the page's next
/// version, or expires.
void Submissions::handle(const mail::Ask& ask) {
    const Socket* socket = sockets_.find(ask.to.session);
    if (!socket || !socket->lane || !socket->lane->answers) return;
    writer_.send_event(ask.to.session, peer::encode(peer::AskEvent{ask.number, ask.data}), {});
}

}  // namespace oncewire::hub
