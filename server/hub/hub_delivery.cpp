// How the log reaches the sessions of a Hub, and how the sequencer's answers do.
#include <algorithm>

#include "server/hub/parts.hpp"
#include "shared/base/json.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {
namespace {

/// How long to wait before history is asked for again after the store could not be read.
constexpr Millis read_again_after{1000};

}  // namespace

// ---- the log ------------------------------------------------------------------------------------

void Parts::handle(const mail::LogState& state) {
    const auto before = log_state_.head;
    log_state_ = state;
    const bool known = !before.epoch.text.empty();
    if (known && !(before.epoch == state.head.epoch)) return shut_down(now_);  // another history
    // Entries were committed without being announced (the outcome was unknown): sessions fetch them.
    if (known && state.head.offset > before.offset) catch_up_everybody(before.offset);
}

void Parts::handle(const mail::Published& published) {
    const auto& entries = *published.entries;
    if (entries.empty()) return;
    const auto before = log_state_.head.offset;
    log_state_.head.offset = entries.back().offset;
    if (entries.front().offset > before + 1) return catch_up_everybody(before);
    for (const auto& entry : entries) {
        EntryFrames frames;
        for (const SocketId id : rooms_.members(entry.room)) {
            Socket& socket = *known_socket(id);
            Connection* connection =
                socket.reader == Reader::live ? find_connection(socket.connection) : nullptr;
            if (connection) hand_over(socket, *connection, entry, frames);
        }
    }
}

void Parts::handle(const mail::Page& page) {
    Socket* socket = find_socket(page.to.session);
    if (!socket || socket->reader != Reader::asked) return;
    stop_reading(*socket);
    if (page.failed) {
        if (!read_again_at_) read_again_at_ = now_ + read_again_after;
        return;
    }
    if (page.lost) return handle(mail::Cut{page.to});
    if (page.lost_to > 0 && socket->capability) {
        send_event(page.to.session, peer::encode(peer::GapEvent{page.after + 1, page.lost_to}), {});
    }
    if (page.unreadable_to > 0 && socket->capability) {
        const peer::GapEvent gap{page.unreadable_from, page.unreadable_to};
        send_event(page.to.session, peer::encode(gap), {});
        tell_reached(*socket, page.unreadable_to);
    }
    // A page is asked for when the queue has room for one; it is taken whole.
    if (socket->has_new_rooms) tell_reached(*socket, page.after);
    take_page(*socket, *known_connection(socket->connection), page);
    if (socket->has_new_rooms) tell_reached(*socket, page.end);
    socket->sent.reset({log_state_.head.epoch, page.end});
    if (page.reached_head) socket->reader = Reader::live;
    resume_readers(*known_connection(socket->connection));
}

/// Of this log, as JSON; nothing in it needs an escape.
std::string Parts::quoted_place(delivery::Offset offset,
                                std::optional<delivery::Offset> before) const {
    std::string json;
    json.reserve(64);
    json += '"';
    append_position(json, log_state_.head.epoch, offset, before);
    json += '"';
    return json;
}

SharedFrame Parts::encode_entry(const store::LogEntry& entry, bool is_linked) const {
    const auto nsp = std::string_view(entry.room).substr(0, entry.room.find(','));
    const auto before = is_linked ? std::optional(entry.before) : std::nullopt;
    return std::make_shared<const Frame>(
        socketio::encode_event(nsp, entry.data, quoted_place(entry.offset, before)));
}

/// A live entry: queued, or the reader steps out of the live feed and pulls from the log when it can.
void Parts::hand_over(Socket& socket, Connection& connection, const store::LogEntry& entry,
                      EntryFrames& frames) {
    if (!has_room(socket, connection, entry.offset)) return;
    if (entry.offset <= socket.sent.position()->offset) return;
    if (std::exchange(socket.has_new_rooms, false)) tell_reached(socket, entry.offset - 1);
    enqueue_entry(socket, connection, entry, frames);
}

/// False: it goes on from the log, later. Everything before `offset` it has.
bool Parts::has_room(Socket& socket, const Connection& connection, delivery::Offset offset) {
    if (waiting_bytes(socket, connection) <= options_.send_queue_bytes) return true;
    socket.reader = Reader::paused;
    socket.sent.reset({log_state_.head.epoch, offset - 1});
    return false;
}

void Parts::enqueue_entry(Socket& socket, Connection& connection, const store::LogEntry& entry,
                          EntryFrames& frames) {
    const auto arrival = socket.sent.arrive(log_state_.head.epoch, entry.offset);
    if (arrival != delivery::Cursor::Arrival::fresh) return;
    const bool is_linked = socket.capability && socket.capability->links;
    SharedFrame& frame = is_linked ? frames.linked : frames.plain;
    if (!frame) frame = encode_entry(entry, is_linked);
    enqueue(socket, connection, frame);
}

/// Whoever came into a room has not missed what was said there before; all that it may see up to `offset`
/// was handed to it.
void Parts::tell_reached(Socket& socket, delivery::Offset offset) {
    if (!socket.capability || !socket.capability->links) return;
    queue_packet(socket, {socketio::PacketType::event,
                          std::string(namespace_of(socket)),
                          std::nullopt,
                          peer::encode(peer::ReachedEvent{offset}),
                          {}});
}

/// One session of a connection at a time, so that no more than a page is on its way to one peer.
void Parts::start_reading(SocketId id, Socket& socket) {
    Connection& connection = *known_connection(socket.connection);
    socket.reader = connection.reads_page ? Reader::paused : Reader::asked;
    if (std::exchange(connection.reads_page, true)) return;
    outputs_.push_back(ToStore{mail::ReadPage{session_ref(id), rooms_.rooms_of(id),
                                              socket.sent.position()->offset, socket.is_resumed}});
}

/// The application has been told of all of them by now, so the rooms are those that it lets them into
/// when they connect.
void Parts::start_new_readers() {
    for (const SocketId id : std::exchange(new_readers_, {})) {
        Socket* socket = find_socket(id);
        if (!socket) continue;
        socket->has_new_rooms = false;
        socket->reader = Reader::paused;
        resume_readers(*find_connection(socket->connection));
    }
}

/// It has its page, or needs it no more.
void Parts::stop_reading(Socket& socket) {
    if (socket.reader != Reader::asked) return;
    socket.reader = Reader::paused;
    known_connection(socket.connection)->reads_page = false;
}

void Parts::resume_readers(const Connection& connection) {
    if (connection.queue_bytes > options_.send_queue_bytes / 2) return;
    for (const SocketId id : connection.sockets) {
        if (connection.reads_page) return;
        Socket* socket = find_socket(id);
        const bool waits = socket && socket->reader == Reader::paused;
        if (waits && waiting_bytes(*socket, connection) <= options_.send_queue_bytes / 2)
            start_reading(id, *socket);
    }
}

/// `before`: what all who are live have.
void Parts::catch_up_everybody(delivery::Offset before) {
    for (std::uint32_t slot = 0; slot < sockets_.size(); ++slot) {
        Socket& socket = sockets_[slot];
        if (!socket.in_use || socket.reader != Reader::live) continue;
        socket.sent.reset(
            {log_state_.head.epoch, std::max(before, socket.sent.position()->offset)});
        start_reading((static_cast<SocketId>(socket.generation) << 32) | slot, socket);
    }
}

std::vector<RoomReader> Parts::readers_of(std::string_view room, delivery::Offset offset) {
    std::vector<RoomReader> readers;
    for (const SocketId id : rooms_.members(room)) {
        const Socket& socket = *known_socket(id);
        if (socket.reader == Reader::absent) continue;
        // Who is live has everything; the cursor moves only with what its rooms get.
        const auto read_to =
            socket.reader == Reader::live ? log_state_.head.offset : socket.sent.position()->offset;
        readers.push_back({socket.sid, read_to >= offset});
    }
    return readers;
}

// ---- answers to one session ---------------------------------------------------------------------

void Parts::handle(const mail::Attached& attached) {
    const Socket* socket = find_socket(attached.to.session);
    if (socket && socket->state == SocketState::attaching)
        finish_accept(attached.to.session, &attached, nullptr);
}

void Parts::handle(const mail::AttachRefused& refused) {
    reject(refused.to.session,
           R"({"message":"this outbox belongs to somebody else","data":{"code":)" +
               json::quoted(refused.reason) + "}}",
           now_);
}

/// Another link attached the same producer: one of the two is a zombie, and nobody here can tell which,
/// because a CONNECT may arrive long after its sender went elsewhere. So this one is closed but may come
/// back: a living client does, and then fences the zombie; told to stay away, it would be lost.
void Parts::handle(const mail::Fence& fence) { handle(mail::Cut{fence.to}); }

void Parts::handle(const mail::Settled& settled) {
    peer::VerdictsEvent event{settled.first, {}};
    for (const auto& verdict : settled.verdicts) {
        event.verdicts.push_back({verdict.kind == store::Verdict::Kind::accepted, verdict.body});
    }
    send_event(settled.to.session, peer::encode(event), {});
}

/// Stock clients: errors first, as their callbacks expect, unless they said otherwise. null is also what
/// `retries` without ackTimeout takes for success.
void Parts::handle(const mail::Answered& answered) {
    end_lookup(answered.to, answered.ack_id);
    if (answered.ack_id > first_submission) {
        outputs_.push_back(SubmitSettled{answered.ack_id - first_submission, answered.verdict});
        return;
    }
    const auto& [kind, body] = answered.verdict;
    const Socket* socket = find_socket(answered.to.session);
    const bool says_no_error =
        kind == store::Verdict::Kind::accepted && socket && !socket->wants_values;
    send_ack(answered.to.session, answered.ack_id, (says_no_error ? "[null," : "[") + body + ']',
             {});
}

void Parts::handle(const mail::RunTask& run) { outputs_.push_back(TaskArrived{run.task}); }

/// A client that does not know the word would take it for a violation; it waits for the page's next
/// version, or expires.
void Parts::handle(const mail::Ask& ask) {
    const Socket* socket = find_socket(ask.to.session);
    if (!socket || !socket->capability || !socket->capability->answers) return;
    send_event(ask.to.session, peer::encode(peer::AskEvent{ask.number, ask.data}), {});
}

void Parts::end_task(std::uint64_t id, bool is_done) {
    outputs_.push_back(ToStore{mail::TaskEnded{id, is_done}});
}

void Parts::handle(const mail::Expect& expect) {
    send_event(expect.to.session, peer::encode(peer::ExpectEvent{expect.sequence}), {});
}

void Parts::handle(const mail::Conflict& conflict) {
    send_event(conflict.to.session,
               peer::encode(peer::ConflictEvent{conflict.sequence, conflict.last}), {});
}

/// Stock clients are not answered: an ack, even one that says no, would end their retries. What was only
/// asked can be asked again.
void Parts::handle(const mail::RetryLater& later) {
    const bool was_lookup = end_lookup(later.to, later.ack_id);
    if (later.ack_id && *later.ack_id > first_submission) {
        outputs_.push_back(SubmitSettled{*later.ack_id - first_submission, std::nullopt});
        return;
    }
    if (was_lookup) {
        return send_ack(later.to.session, *later.ack_id,
                        R"([{"error":"later","message":"not now; ask again"}])", {});
    }
    const Socket* socket = find_socket(later.to.session);
    if (!socket || !socket->capability) return;
    send_event(later.to.session, peer::encode(peer::LaterEvent{later.after}), {});
}

void Parts::handle(const mail::Cut& cut) {
    const Socket* socket = find_socket(cut.to.session);
    if (!socket) return;
    const ConnectionId connection = socket->connection;
    find_connection(connection)->peer->close(socketio::DisconnectReason::forced_close);
    pump(connection, now_);
}

}  // namespace oncewire::hub
