#include "server/hub/log_readers.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/hub/frames.hpp"
#include "shared/peer/capability.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {
namespace {

using State = LogReader::State;

/// How long to wait before history is asked for again after the store could not be read.
constexpr Millis read_again_after{1000};

/// False: it was handed over already.
bool move_to(Socket& socket, delivery::Offset offset) {
    if (offset <= socket.log.sent) return false;
    socket.log.sent = offset;
    return true;
}

bool wants_links(const Socket& socket) { return socket.lane && socket.lane->links; }

}  // namespace

/// Of this log; nothing in it needs an escape.
std::string LogReaders::quoted_place(delivery::Offset offset,
                                     std::optional<delivery::Offset> before) const {
    std::string json;
    json.reserve(64);
    json += '"';
    append_position(json, log_.head.epoch, offset, before);
    json += '"';
    return json;
}

// ---- what the sequencer says --------------------------------------------------------------------

bool LogReaders::handle(const mail::LogState& state) {
    const auto before = log_.head;
    log_ = state;
    const bool known = !before.epoch.text.empty();
    if (known && !(before.epoch == state.head.epoch)) return false;
    // Entries were committed without being announced (the outcome was unknown): sockets fetch them.
    if (known && state.head.offset > before.offset) catch_up_everybody(before.offset);
    return true;
}

void LogReaders::handle(const mail::Published& published) {
    const auto& entries = *published.entries;
    if (entries.empty()) return;
    const auto before = log_.head.offset;
    log_.head.offset = entries.back().offset;
    if (entries.front().offset > before + 1) return catch_up_everybody(before);
    for (const auto& entry : entries) {
        EntryFrames frames;
        for (const SocketId id : audience_.rooms().members(entry.room)) {
            Socket& socket = *sockets_.known(id);
            Connection* connection =
                socket.log.state == State::live ? connections_.find(socket.connection) : nullptr;
            if (connection) hand_over(socket, *connection, entry, frames);
        }
    }
}

bool LogReaders::handle(const mail::Page& page) {
    const SocketId id = page.to.session;
    Socket* socket = sockets_.find(id);
    if (!socket || socket->log.state != State::asked) return true;
    stop(*socket);
    if (page.failed) {
        if (!read_again_at_) read_again_at_ = turn_.now + read_again_after;
        return true;
    }
    if (page.lost) return false;
    tell_gaps(id, *socket, page);
    // A page is asked for when the queue has room for one; it is taken whole.
    Connection& connection = *connections_.known(socket->connection);
    if (socket->log.has_new_rooms) tell_reached(*socket, page.after);
    take_page(*socket, connection, page);
    if (socket->log.has_new_rooms) tell_reached(*socket, page.end);
    socket->log.sent = page.end;
    if (page.reached_head) socket->log.state = State::live;
    resume(connection);
    return true;
}

bool LogReaders::note_recorded(delivery::Offset offset) {
    const auto before = std::exchange(log_.head.offset, offset);
    if (offset <= before + 1) return true;
    catch_up_everybody(before);
    return false;
}

void LogReaders::tell_gaps(SocketId id, Socket& socket, const mail::Page& page) {
    if (!socket.lane) return;
    if (page.lost_to > 0)
        writer_.send_event(id, peer::encode(peer::GapEvent{page.after + 1, page.lost_to}), {});
    if (page.unreadable_to == 0) return;
    writer_.send_event(id, peer::encode(peer::GapEvent{page.unreadable_from, page.unreadable_to}),
                       {});
    tell_reached(socket, page.unreadable_to);
}

/// Both lists of a page in one order.
void LogReaders::take_page(Socket& socket, Connection& connection, const mail::Page& page) {
    auto next = page.recorded.begin();
    const auto recorded_before = [&](delivery::Offset end) {
        for (; next != page.recorded.end() && (*next)->offset < end; ++next) {
            const auto& event = **next;
            enqueue_recorded(socket, connection, event.offset,
                             encode_with_position(event.nsp, event.data, event.attachments,
                                                  quoted_place(event.offset)));
        }
    };
    for (const auto& entry : *page.entries) {
        recorded_before(entry.offset);
        EntryFrames frames;
        enqueue_entry(socket, connection, entry, frames);
    }
    recorded_before(page.end + 1);
}

// ---- to one socket ------------------------------------------------------------------------------

/// A live entry: queued, or the reader steps out of the live feed and pulls from the log when it can.
void LogReaders::hand_over(Socket& socket, Connection& connection, const store::LogEntry& entry,
                           EntryFrames& frames) {
    if (!has_room(socket, connection, entry.offset)) return;
    if (entry.offset <= socket.log.sent) return;
    if (std::exchange(socket.log.has_new_rooms, false)) tell_reached(socket, entry.offset - 1);
    enqueue_entry(socket, connection, entry, frames);
}

void LogReaders::hand_over_recorded(Socket& socket, Connection& connection, delivery::Offset offset,
                                    const std::vector<SharedFrame>& frames) {
    if (socket.log.state == State::live && has_room(socket, connection, offset))
        enqueue_recorded(socket, connection, offset, frames);
}

/// False: it goes on from the log, later. Everything before `offset` it has.
bool LogReaders::has_room(Socket& socket, const Connection& connection, delivery::Offset offset) {
    if (writer_.waiting_bytes(socket, connection) <= options_.send_queue_bytes) return true;
    socket.log.state = State::paused;
    socket.log.sent = offset - 1;
    return false;
}

void LogReaders::enqueue_entry(Socket& socket, Connection& connection, const store::LogEntry& entry,
                               EntryFrames& frames) {
    if (!move_to(socket, entry.offset)) return;
    const bool is_linked = wants_links(socket);
    SharedFrame& frame = is_linked ? frames.linked : frames.plain;
    if (!frame) frame = encode_entry(entry, is_linked);
    writer_.enqueue(socket, connection, frame);
}

void LogReaders::enqueue_recorded(Socket& socket, Connection& connection, delivery::Offset offset,
                                  const std::vector<SharedFrame>& frames) {
    if (!move_to(socket, offset)) return;
    for (const auto& frame : frames) writer_.enqueue(socket, connection, frame);
}

SharedFrame LogReaders::encode_entry(const store::LogEntry& entry, bool is_linked) const {
    const auto nsp = std::string_view(entry.room).substr(0, entry.room.find(','));
    const auto before = is_linked ? std::optional(entry.before) : std::nullopt;
    return std::make_shared<const Frame>(
        socketio::encode_event(nsp, entry.data, quoted_place(entry.offset, before)));
}

/// Whoever came into a room has not missed what was said there before; all that it may see up to `offset`
/// was handed to it.
void LogReaders::tell_reached(Socket& socket, delivery::Offset offset) {
    if (!wants_links(socket)) return;
    writer_.send_packet(socket, {socketio::PacketType::event,
                                 std::string(sockets_.namespace_of(socket)),
                                 std::nullopt,
                                 peer::encode(peer::ReachedEvent{offset}),
                                 {}});
}

// ---- who reads when -----------------------------------------------------------------------------

/// One socket of a connection at a time, so that no more than a page is on its way to one peer.
void LogReaders::start(SocketId id, Socket& socket) {
    Connection& connection = *connections_.known(socket.connection);
    socket.log.state = connection.reads_page ? State::paused : State::asked;
    if (std::exchange(connection.reads_page, true)) return;
    turn_.outputs.push_back(ToStore{mail::ReadPage{sockets_.ref(id), audience_.rooms().rooms_of(id),
                                                   socket.log.sent, socket.is_resumed}});
}

void LogReaders::start_new() {
    for (const SocketId id : std::exchange(new_, {})) {
        Socket* socket = sockets_.find(id);
        if (!socket) continue;
        socket->log.has_new_rooms = false;
        socket->log.state = State::paused;
        resume(*connections_.find(socket->connection));
    }
}

void LogReaders::stop(Socket& socket) {
    if (socket.log.state != State::asked) return;
    socket.log.state = State::paused;
    connections_.known(socket.connection)->reads_page = false;
}

void LogReaders::resume(const Connection& connection) {
    if (!connections_.has_room(connection)) return;
    for (const SocketId id : connection.sockets) {
        if (connection.reads_page) return;
        Socket* socket = sockets_.find(id);
        const bool waits = socket && socket->log.state == State::paused;
        if (waits && writer_.waiting_bytes(*socket, connection) <= options_.send_queue_bytes / 2)
            start(id, *socket);
    }
}

void LogReaders::handle_timeout() {
    if (!read_again_at_ || *read_again_at_ > turn_.now) return;
    read_again_at_.reset();
    connections_.for_each(
        [this](ConnectionId, const Connection& connection) { resume(connection); });
}

/// `before`: what all who are live have.
void LogReaders::catch_up_everybody(delivery::Offset before) {
    sockets_.for_each([&](SocketId id, Socket& socket) {
        if (socket.log.state != State::live) return;
        socket.log.sent = std::max(before, socket.log.sent);
        start(id, socket);
    });
}

std::vector<RoomReader> LogReaders::readers_of(std::string_view room,
                                               delivery::Offset offset) const {
    std::vector<RoomReader> readers;
    for (const SocketId id : audience_.rooms().members(room)) {
        const Socket& socket = *sockets_.known(id);
        if (socket.log.state == State::absent) continue;
        // Who is live has everything; the cursor moves only with what its rooms get.
        const auto read_to = socket.log.state == State::live ? log_.head.offset : socket.log.sent;
        readers.push_back({socket.sid, read_to >= offset});
    }
    return readers;
}

}  // namespace oncewire::hub
