#include "tests/sim/guest.hpp"

#include <algorithm>

#include "shared/base/json.hpp"
#include "shared/engineio/packet.hpp"

namespace oncewire::sim {
namespace {

using Side = Network::Side;

std::string member(std::string_view object, std::string_view key) {
    const auto value = json::member(object, key);
    return value ? json::as_string(*value).value_or("") : "";
}

/// "/,room" without what comes before the room.
std::string short_name(const std::string& room) { return room.substr(2); }

}  // namespace

Guest::Guest(Env& env, Network& network, GuestHouse& house, std::uint32_t number)
    : env_(env), network_(network), house_(house), name_("guest" + std::to_string(number)) {}

void Guest::open() { dial(); }

void Guest::stay_near() {
    stays_near_ = true;
    dial();
}

void Guest::close() {
    closed_ = true;
    ++life_;
    if (link_) network_.abandon(*link_, Side::client);
    link_.reset();
    connected_ = false;
}

bool Guest::is_at_rest() const {
    if (closed_ || refused_) return true;
    if (!connected_) return false;
    if (session_.forgotten != house_.forgotten()) return true;
    // Begun while the disk refused: nothing is kept for it, and nothing tells it how far it is.
    if (session_.pid.empty()) return true;
    const auto& recorded = house_.recorded();
    for (auto next = recorded.upper_bound(session_.read); next != recorded.end(); ++next) {
        if (may_see(next->second)) return false;
    }
    return true;
}

std::string Guest::describe() const {
    return name_ + (connected_ ? " is connected" : " is not connected") + ", read up to " +
           std::to_string(session_.read);
}

void Guest::in_this_life(Millis delay, EventHeap::Action action) {
    env_.heap.after(delay, [this, life = life_, action = std::move(action)] {
        if (life == life_) action();
    });
}

// ---- the link -----------------------------------------------------------------------------------

void Guest::dial() {
    if (link_ || closed_) return;
    link_ = network_.dial(*this);
    decoder_ = socketio::Decoder();
    newest_ping_ = env_.now();
    watch_heartbeat();
}

void Guest::watch_heartbeat() {
    const auto patience = timings_.ping_interval + timings_.ping_timeout;
    in_this_life(patience, [this, link = link_, patience] {
        if (link_ != link || newest_ping_ + patience > env_.now()) return;
        network_.close(*link, Side::client);
        lose_link();
    });
}

void Guest::link_closed(LinkNumber link) {
    if (link_ == link) lose_link();
}

void Guest::lose_link() {
    link_.reset();
    connected_ = false;
    if (refused_) return;
    const bool far = !stays_near_ && env_.choices.chance("goes far", 1, 12);
    const auto pause = far ? env_.choices.long_tailed("far", 5'000, 300'000)
                           : env_.choices.delay("reconnect", 100, 5'000);
    in_this_life(pause, [this] { dial(); });
}

void Guest::send(std::string text) {
    network_.send(*link_, Side::client,
                  {std::make_shared<const Frame>(Frame{FrameType::text, std::move(text)})});
}

void Guest::link_frame(LinkNumber link, const Frame& frame) {
    if (link_ != link) return;
    const auto packet = engineio::decode_frame(frame);
    if (!packet) return env_.witness.report(Breach::dishonest, "a frame that is no packet");
    if (packet->type == engineio::PacketType::open) {
        const auto handshake = engineio::decode_handshake(packet->payload);
        if (handshake) timings_ = handshake->timings;
        std::string auth = R"({"name":")" + name_ + '"';
        if (!session_.pid.empty()) auth += R"(,"pid":)" + json::quoted(session_.pid);
        if (!session_.offset.empty()) auth += R"(,"offset":)" + json::quoted(session_.offset);
        asked_at_ = env_.now();
        asked_forgotten_ = house_.forgotten();
        send("40" + auth + '}');
    } else if (packet->type == engineio::PacketType::ping) {
        newest_ping_ = env_.now();
        watch_heartbeat();
        send("3");
    } else if (packet->type == engineio::PacketType::message) {
        auto decoded = decoder_.decode({packet->payload_type, packet->payload}, env_.now());
        if (!decoded) return env_.witness.report(Breach::dishonest, "a packet that is none");
        if (*decoded) handle(**decoded);
    }
}

void Guest::handle(const socketio::Packet& packet) {
    if (packet.type == socketio::PacketType::connect) {
        handle_connect(packet.data);
    } else if (packet.type == socketio::PacketType::event) {
        handle_event(packet.data);
    } else if (packet.type == socketio::PacketType::connect_error) {
        refused_ = true;
        env_.note(name_ + " is refused");
        if (!house_.is_banned_since(name_, env_.now()))
            env_.witness.report(Breach::dishonest, name_ + " was refused, but is not banned");
        close();
    }
}

// ---- sessions -----------------------------------------------------------------------------------

void Guest::handle_connect(std::string_view data) {
    if (house_.is_banned_since(name_, asked_at_ - Millis{1}))
        env_.witness.report(Breach::leaked, name_ + " was let in, but is banned");
    const auto pid = member(data, "pid");
    const bool recovered = !pid.empty() && pid == session_.pid;
    connected_ = true;
    if (recovered) {
        if (member(data, "sid") != session_.sid)
            env_.witness.report(Breach::dishonest, "the same session has another sid");
        env_.note(name_ + " is back");
    } else {
        begin_session(pid, member(data, "sid"), member(data, "notRecovered"));
    }
    said_at_ = network_.sent_at();
}

void Guest::begin_session(std::string pid, std::string sid, std::string_view reason) {
    env_.note(name_ + " is new: " + std::string(reason));
    if (!session_.pid.empty()) check_reason(reason);
    const std::string kept = session_.offset;  // the client forgets it as little as we do
    session_ = Session();
    session_.pid = std::move(pid);
    session_.sid = std::move(sid);
    session_.offset = kept;
    session_.forgotten = asked_forgotten_;
}

/// Nobody begins anew without a reason, and the reason is true.
void Guest::check_reason(std::string_view reason) {
    const bool excused = session_.forgotten != house_.forgotten() || reason == "unavailable";
    const bool clock_set =
        env_.faults.counts()[static_cast<std::size_t>(Fault::wall_clock_jump)] > 0;
    const auto away = env_.now() - said_at_;
    if (excused) return;
    if (reason == "expired" && (clock_set || away > house_.limits().window)) return;
    if (reason == "too_much" && house_.limits().entries_max < 100) return;
    // Longer than the window: the row itself is gone, and nobody knows why.
    if (reason == "unknown" && (clock_set || away > house_.limits().window)) return;
    env_.witness.report(Breach::lost, name_ + " was not recovered: " + std::string(reason));
}

// ---- events -------------------------------------------------------------------------------------

/// The original keeps what comes before CONNECT. When the link ends there, it is told the same once more and shows
/// both; so nothing may come before.
void Guest::handle_event(std::string_view data) {
    if (!connected_)
        return env_.witness.report(Breach::duplicated, name_ + " is told something before CONNECT");
    const auto elements = json::elements(data);
    const auto last = json::as_string(elements.back());
    if (last && !session_.pid.empty()) session_.offset = *last;
    said_at_ = network_.sent_at();
    const auto position = last ? delivery::parse_position(*last) : std::nullopt;
    if (!position) return;  // the next CONNECT will show what comes of it
    const auto name = json::as_string(elements[0]).value_or("");
    const auto number = number_of(data);
    const auto found = house_.recorded().find(position->offset);
    const bool is_recorded =
        found != house_.recorded().end() && number_of(found->second.data) == number;
    if (name == "rumour" || house_.is_unstored(number)) {
        if (is_recorded) return env_.witness.report(Breach::leaked, "a rumour was recorded");
        check_nothing_missed(position->offset);
        session_.read = std::max(session_.read, position->offset);
        if (name != "rumour" && elements.size() > 3)
            change_rooms(name, json::as_string(elements[2]).value_or(""), session_.read);
        return;
    }
    if (!is_recorded)
        return env_.witness.report(Breach::leaked, "an event in a place that is not its own");
    check_nothing_missed(position->offset - 1);
    take_recorded(name, json::as_string(elements[2]).value_or(""), *found);
}

void Guest::take_recorded(std::string_view name, std::string_view room,
                          const Recorded::value_type& one) {
    const auto& [offset, event] = one;
    env_.note(name_ + " is told {}", offset);
    if (offset <= session_.read) {
        env_.witness.report(Breach::duplicated, name_ + " is told " + std::to_string(offset) +
                                                    " after " + std::to_string(session_.read));
    }
    // Who has just come in may be told before it is told so.
    const bool is_out = std::all_of(event.rooms.begin(), event.rooms.end(), [&](const auto& each) {
        const auto short_room = short_name(each);
        return session_.left.contains(short_room) && !house_.is_doubtful(session_.sid, short_room);
    });
    if (is_out && session_.forgotten == house_.forgotten()) {
        env_.witness.report(Breach::leaked, name_ + " is told " + std::to_string(offset) +
                                                ", and had left the room");
    }
    session_.read = std::max(session_.read, offset);
    change_rooms(name, std::string(room), offset);
}

void Guest::change_rooms(std::string_view name, const std::string& room, delivery::Offset offset) {
    if (name == "joined") {
        session_.rooms.emplace(room, offset);
        session_.left.erase(room);
    } else if (name == "left") {
        session_.rooms.erase(room);
        session_.left.insert(room);
    }
}

/// Who is put out of a room before all that was said there has reached them is not told the rest (R15).
bool Guest::is_put_out_after(delivery::Offset offset, std::string_view room) const {
    const auto& recorded = house_.recorded();
    return std::any_of(recorded.upper_bound(offset), recorded.end(), [&](const auto& one) {
        const auto& event = one.second;
        const bool is_own =
            std::any_of(event.rooms.begin(), event.rooms.end(),
                        [&](const std::string& each) { return short_name(each) == session_.sid; });
        const auto elements = json::elements(event.data);
        return is_own && elements[0] == "\"left\"" && json::as_string(elements[2]) == room;
    });
}

bool Guest::may_see(const store::RecordedEvent& event) const {
    return std::any_of(event.rooms.begin(), event.rooms.end(), [&](const std::string& each) {
        const auto room = short_name(each);
        if (room == session_.sid) return true;
        const auto found = session_.rooms.find(room);
        const bool doubtful = house_.is_doubtful(session_.sid, room);
        return found != session_.rooms.end() && found->second < event.offset && !doubtful;
    });
}

void Guest::check_nothing_missed(delivery::Offset end) {
    if (session_.forgotten != house_.forgotten()) return;
    const auto& recorded = house_.recorded();
    for (auto next = recorded.upper_bound(session_.read);
         next != recorded.end() && next->first <= end; ++next) {
        const bool hidden = std::any_of(
            next->second.rooms.begin(), next->second.rooms.end(),
            [&](const auto& each) { return is_put_out_after(next->first, short_name(each)); });
        if (hidden || !may_see(next->second)) continue;
        env_.witness.report(Breach::lost, name_ + " was never told " + std::to_string(next->first));
    }
}

}  // namespace oncewire::sim
