// Recovery of unmodified clients: sessions that outlive their connection, and events that wait for them.
//
// With recovery on, what is emitted without asking for an answer goes through the sequencer, gets a place
// in the log and reaches everybody from there, so that live and replay are one thing (R7). What is not
// recorded (answers, volatile events, changes of rooms, goodbyes) must not overtake what the application
// said before, so it waits until that has come back.
#include <algorithm>

#include "server/hub/hub_targets.hpp"
#include "server/hub/parts.hpp"
#include "shared/base/base64.hpp"
#include "shared/base/json.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {
namespace {

/// 24 characters, 144 bits: whoever knows it gets what was missed, if nobody asks who they are.
constexpr std::size_t pid_bytes = 18;

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

std::vector<SharedFrame> Parts::encode_with_position(std::string_view nsp, const std::string& data,
                                                     const std::vector<std::string>& attachments,
                                                     delivery::Offset offset) const {
    const auto position = quoted_place(offset);
    if (attachments.empty())
        return {std::make_shared<const Frame>(socketio::encode_event(nsp, data, position))};
    std::string longer = data.substr(0, data.size() - 1) + ',' + position + ']';
    std::vector<SharedFrame> frames;
    for (auto& frame : socketio::encode({socketio::PacketType::event, std::string(nsp),
                                         std::nullopt, std::move(longer), attachments})) {
        frames.push_back(std::make_shared<const Frame>(std::move(frame)));
    }
    return frames;
}

// ---- sessions -----------------------------------------------------------------------------------

/// A client stands at the door: what it shows, and what it would be given.
void Parts::note_claim(SocketId id, std::string_view auth) {
    Door door{base64::encode_url(secrets_.take(pid_bytes)), std::nullopt};
    const auto pid = json::member(auth, "pid");
    if (const auto text = pid ? json::as_string(*pid) : std::nullopt) {
        door.claim = {*text, std::nullopt};
        if (const auto offset = json::member(auth, "offset"))
            door.claim->offset = json::as_string(*offset).value_or("");
    }
    doors_.emplace(id, std::move(door));
}

void Parts::open_session(SocketId id, Socket& socket, std::string user) {
    socket.state = SocketState::attaching;
    auto door = std::move(doors_.extract(id).mapped());
    mail::OpenSession open;
    open.from = session_ref(id);
    open.nsp = namespace_of(socket);
    open.user = std::move(user);
    open.rooms = rooms_.rooms_of(id);
    open.rooms.push_back(store::log_room(open.nsp, ""));
    open.rooms.push_back(store::log_room(open.nsp, socket.sid));
    open.sid = socket.sid;
    open.pid = std::move(door.pid);
    open.reads_after = socket.replay_after;
    open.claim = std::move(door.claim);
    outputs_.push_back(ToStore{std::move(open)});
}

void Parts::handle(const mail::SessionOpened& opened) {
    Socket* socket = find_socket(opened.to.session);
    if (!socket || socket->state != SocketState::attaching) return;
    socket->is_recoverable = !opened.pid.empty();
    if (opened.is_resumed) return resume(opened.to.session, *socket, opened);
    finish_accept(opened.to.session, nullptr, &opened);
}

/// What it missed comes after CONNECT. The original's server sends it before, and its client keeps what
/// comes before CONNECT when the link ends there, asks for it again, and shows it twice.
void Parts::resume(SocketId id, Socket& socket, const mail::SessionOpened& opened) {
    socket.is_resumed = true;
    socket.state = SocketState::connected;
    socket.sid = opened.sid;
    for (const auto& room : opened.rooms) rooms_.join(id, room);
    socket.sent.reset(opened.position);
    ++counts_.sessions_resumed;
    const ConnectionId connection = socket.connection;
    find_connection(connection)
        ->peer->accept(socket.index, peer::encode_session_answer(socket.sid, opened.pid, {}));
    outputs_.push_back(SocketConnected{id, true});
    start_reading(id, socket);
    pump(connection, now_);
}

/// CONNECT is answered when the rooms that the `connection` handlers gave it are kept, too: whoever has
/// the answer may find the server killed the next moment, and come back to a session that is in them.
void Parts::greet_later(SocketId id, std::string answer) {
    find_socket(id)->is_greeted = false;
    greetings_.emplace(id, Greeting{std::move(answer), false, {}, 0});
    new_greetings_.push_back(id);
}

/// The application has been told of all of them by now.
void Parts::answer_greetings() {
    for (const SocketId id : std::exchange(new_greetings_, {})) {
        const auto found = greetings_.find(id);
        if (found == greetings_.end()) continue;
        if (!found->second.has_new_rooms) {
            greet(id);
            continue;
        }
        ++passages_sent_;
        outputs_.push_back(ToStore{mail::Relay{options_.core, nullptr, std::nullopt}});
        defer([this, id] { greet(id); });
    }
}

void Parts::greet(SocketId id) {
    const auto found = greetings_.extract(id);
    if (!found) return;
    Socket& socket = *known_socket(id);
    socket.is_greeted = true;
    const ConnectionId to = socket.connection;
    Connection* connection = find_connection(to);
    if (!connection) return;
    connection->peer->accept(socket.index, found.mapped().answer);
    pump(to, now_);
    connection = find_connection(to);
    if (!connection) return;  // the answer was one word too many
    for (const auto& frame : found.mapped().held) enqueue(*connection, to, frame);
}

void Parts::end_session(SocketId id, const Socket& socket, socketio::DisconnectReason reason) {
    if (!options_.recovery || socket.capability || socket.state == SocketState::asked) return;
    const bool is_final = reason == socketio::DisconnectReason::client_namespace_disconnect ||
                          reason == socketio::DisconnectReason::server_namespace_disconnect;
    outputs_.push_back(ToStore{mail::EndSession{session_ref(id), is_final}});
}

void Parts::note_room(SocketId id, std::string_view room, bool joined) {
    if (!options_.recovery) return;
    const Socket* socket = find_socket(id);
    if (!socket || socket->capability || socket->state == SocketState::asked) return;
    auto name = store::log_room(namespace_of(*socket), room);
    mail::ChangeRooms change{session_ref(id), {}, {}, letter_at_hand_};
    (joined ? change.joined : change.left) = std::move(name);
    if (const auto found = greetings_.find(id); found != greetings_.end())
        found->second.has_new_rooms = true;
    outputs_.push_back(ToStore{std::move(change)});
}

// ---- what is recorded ---------------------------------------------------------------------------

void Parts::record(mail::Broadcast command, bool is_direct) {
    mail::Record record;
    record.from = options_.core;
    record.event.rooms = audience_of(command.target);
    record.event.except = log_rooms(command.target.nsp, command.target.except);
    record.event.nsp = std::move(command.target.nsp);
    record.event.data = std::move(command.data);
    record.event.attachments = std::move(command.attachments);
    record.is_direct = is_direct;
    ++passages_sent_;
    outputs_.push_back(ToStore{std::move(record)});
}

void Parts::handle(const mail::Recorded& recorded) {
    if (recorded.event) deliver(recorded);
    if (recorded.from == options_.core) came_back();
}

void Parts::deliver(const mail::Recorded& recorded) {
    const auto& event = *recorded.event;
    const auto before = log_state_.head.offset;
    if (recorded.is_stored) log_state_.head.offset = event.offset;
    if (recorded.is_stored && event.offset > before + 1) return catch_up_everybody(before);
    mail::Target target = target_of(event);
    if (watches_broadcasts_ && !recorded.is_direct)
        outputs_.push_back(BroadcastSent{{target, event.data, event.attachments, false}});
    std::vector<SharedFrame> placed;
    std::vector<SharedFrame> plain;
    for_each(target, [&](SocketId, Socket& socket, Connection& connection) {
        if (!socket.is_recoverable) {
            if (plain.empty()) plain = encode_plain(event.nsp, event.data, event.attachments);
            return send_ephemeral(socket, connection, plain, false);
        }
        if (placed.empty()) {
            placed = encode_with_position(event.nsp, event.data, event.attachments,
                                          log_state_.head.offset);
        }
        if (!recorded.is_stored) return send_ephemeral(socket, connection, placed, false);
        if (socket.reader == Reader::live && has_room(socket, connection, event.offset))
            enqueue_recorded(socket, connection, event.offset, placed);
    });
}

void Parts::enqueue_recorded(Socket& socket, Connection& connection, delivery::Offset offset,
                             const std::vector<SharedFrame>& frames) {
    const auto arrival = socket.sent.arrive(log_state_.head.epoch, offset);
    if (arrival != delivery::Cursor::Arrival::fresh) return;
    for (const auto& frame : frames) enqueue(socket, connection, frame);
}

/// Both lists of a page in one order.
void Parts::take_page(Socket& socket, Connection& connection, const mail::Page& page) {
    auto next = page.recorded.begin();
    const auto recorded_before = [&](delivery::Offset end) {
        for (; next != page.recorded.end() && (*next)->offset < end; ++next) {
            const auto& event = **next;
            enqueue_recorded(
                socket, connection, event.offset,
                encode_with_position(event.nsp, event.data, event.attachments, event.offset));
        }
    };
    for (const auto& entry : *page.entries) {
        recorded_before(entry.offset);
        EntryFrames frames;
        enqueue_entry(socket, connection, entry, frames);
    }
    recorded_before(page.end + 1);
}

// ---- what is not --------------------------------------------------------------------------------

/// Everything that is said to all cores goes by way of the sequencer, too, so that it stands in one
/// order with what is recorded, on every core.
void Parts::relay(std::shared_ptr<const mail::CoreCommand> command) {
    mail::Relay relay;
    relay.from = options_.core;
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
    ++passages_sent_;
    outputs_.push_back(ToStore{std::move(relay)});
}

void Parts::handle(const mail::Relayed& relayed) {
    letter_at_hand_ = relayed.number;
    if (relayed.letter) perform(*relayed.letter);
    letter_at_hand_ = 0;
    if (relayed.from == options_.core) came_back();
}

/// Runs `action` when all that was said before has come back.
void Parts::defer(std::function<void()> action) {
    deferred_.push_back({passages_sent_, std::move(action), 0, {}, false});
}

void Parts::came_back() {
    ++passages_back_;
    while (!deferred_.empty() && deferred_.front().after <= passages_back_) {
        const auto first = std::move(deferred_.front());
        deferred_.pop_front();
        first.action();
    }
}

/// What the application was promised by join() and leave(), whenever it becomes true.
void Parts::add_deferred_rooms(SocketId id, std::vector<std::string>& rooms) const {
    for (const auto& each : deferred_) {
        if (each.socket != id) continue;
        std::erase(rooms, each.room);
        if (each.joins) rooms.push_back(each.room);
    }
}

/// In the presence of whoever is there; dropped for those who cannot take it now.
void Parts::send_ephemeral(const Socket& socket, Connection& connection,
                           const std::vector<SharedFrame>& frames, bool is_volatile) {
    const bool busy = connection.writing || !connection.queue.empty();
    // Its last argument says how far the client has read, so it must not pass what is still to come.
    const bool behind = socket.is_recoverable && socket.reader != Reader::live;
    if (behind || waiting_bytes(socket, connection) > options_.send_queue_bytes ||
        (is_volatile && busy)) {
        ++counts_.ephemeral_dropped;
        return;
    }
    for (const auto& frame : frames) enqueue(socket, connection, frame);
}

}  // namespace oncewire::hub
