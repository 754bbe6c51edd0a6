#include "shared/peer/client.hpp"

#include <algorithm>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/verify.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::peer {
namespace {

using engineio::Channel;
using engineio::Effect;
using socketio::DisconnectReason;
using socketio::NamespaceEffect;
using socketio::NamespaceState;
using socketio::PacketType;

DisconnectReason disconnect_reason(engineio::CloseReason reason) {
    switch (reason) {
        case engineio::CloseReason::transport_error:
            return DisconnectReason::transport_error;
        case engineio::CloseReason::transport_close:
            return DisconnectReason::transport_close;
        case engineio::CloseReason::forced_close:
            return DisconnectReason::forced_close;
        case engineio::CloseReason::ping_timeout:
            return DisconnectReason::ping_timeout;
        case engineio::CloseReason::parse_error:
            return DisconnectReason::parse_error;
    }
    VERIFY(false);
}

std::string error_object(std::string_view message) {
    return R"({"message":)" + json::quoted(message) + '}';
}

/// CONNECT data: what recovery of a stock server wants first, then the application's members, so that
/// the application's win.
std::string connect_data(std::string_view auth, std::string_view pid, std::string_view offset) {
    if (pid.empty()) return std::string(auth);
    std::string text = R"({"pid":)" + json::quoted(pid);
    if (!offset.empty()) text += R"(,"offset":)" + json::quoted(offset);
    const std::string_view members = json::members_text(auth);
    if (!members.empty()) text += ',';
    return text.append(members) + '}';
}

}  // namespace

Client::Client(Options options, Prng prng) : options_(options), backoff_(options.backoff, prng) {}

NamespaceIndex Client::open_namespace(std::string_view name, std::optional<RestoredLane> lane) {
    Namespace& added = namespaces_.emplace_back();
    added.name = std::string(name);
    if (lane) {
        added.lane.emplace(Lane{std::move(lane->producer),
                                delivery::Outbox(options_.outbox, lane->salt),
                                delivery::Cursor(std::move(lane->position)),
                                LaneMode::detached,
                                {},
                                {},
                                0,
                                {},
                                1});
        added.lane->outbox.restore(lane->next_sequence, std::move(lane->entries));
    }
    return static_cast<NamespaceIndex>(namespaces_.size() - 1);
}

// ---- application --------------------------------------------------------------------------------

void Client::connect(NamespaceIndex index, Instant now) {
    Namespace& nsp = namespaces_[index];
    const bool gave_up = link_state_ == LinkState::down;  // no attempt is left, or none was made
    if (nsp.wanted && !gave_up) return;
    nsp.wanted = true;
    if (link_state_ == LinkState::open) return ask_auth(index);
    if (!gave_up) return;
    backoff_.reset();
    begin_attempt(now);
}

void Client::disconnect(NamespaceIndex index, Instant) {
    Namespace& nsp = namespaces_[index];
    nsp.wanted = false;
    nsp.auth_asked = false;
    // While CONNECT is unanswered a DISCONNECT would be a violation; the answer is met with it.
    if (is_connected(index)) {
        send_packet({PacketType::disconnect, nsp.name, std::nullopt, {}, {}});
        end_namespace(index, DisconnectReason::io_client_disconnect);
    }
    close_if_unwanted();
}

Result<std::optional<socketio::AckId>, EmitError> Client::emit(NamespaceIndex index,
                                                               std::string data,
                                                               std::vector<std::string> attachments,
                                                               EmitOptions options, Instant now) {
    Namespace& nsp = namespaces_[index];
    if (const auto error = check_event(data)) return Err{*error};
    if (attachments.size() > limits::attachments_per_packet) return Err{EmitError::too_large};
    const bool connected = is_connected(index);
    if (!connected && options.is_volatile) return std::optional<socketio::AckId>();
    if (!connected && nsp.send_buffer.size() >= limits::send_buffer_packets) {
        return Err{EmitError::outbox_full};
    }
    socketio::Packet packet{PacketType::event, nsp.name, std::nullopt, std::move(data),
                            std::move(attachments)};
    if (options.wants_ack) {
        packet.ack_id = nsp.acks.expect(
            options.ack_timeout ? std::optional(now + *options.ack_timeout) : std::nullopt);
    }
    const auto ack_id = packet.ack_id;
    if (connected) {
        send_packet(packet);
    } else {
        nsp.send_buffer.push_back(std::move(packet));
    }
    return ack_id;
}

std::optional<EmitError> Client::check_event(std::string_view data) {
    if (data.size() > limits::message_bytes) return EmitError::too_large;
    if (!json::is_valid(data, limits::json_depth)) return EmitError::not_an_event;
    const auto elements = json::elements(data);
    if (elements.empty()) return EmitError::not_an_event;
    if (json::kind_of(elements[0]) == json::Kind::number) return std::nullopt;
    const auto name = json::as_string(elements[0]);
    if (!name) return EmitError::not_an_event;
    if (socketio::is_reserved_event(*name) || is_delivery_event(*name))
        return EmitError::reserved_name;
    return std::nullopt;
}

void Client::acknowledge(NamespaceIndex index, socketio::AckId id, std::string_view data,
                         std::vector<std::string> attachments) {
    if (!is_connected(index)) return;
    send_packet(
        {PacketType::ack, namespaces_[index].name, id, std::string(data), std::move(attachments)});
}

// ---- host ---------------------------------------------------------------------------------------

void Client::provide_auth(NamespaceIndex index, std::string_view auth, Instant) {
    Namespace& nsp = namespaces_[index];
    if (!nsp.auth_asked || !nsp.wanted || link_state_ != LinkState::open) return;
    nsp.auth_asked = false;
    nsp.state = NamespaceState::connecting;
    std::string data = connect_data(auth, nsp.pid, nsp.last_offset);
    if (nsp.lane) data = add_capability(data, {nsp.lane->producer, nsp.lane->cursor.position()});
    if (json::trim(data) == "{}") data.clear();
    send_packet({PacketType::connect, nsp.name, std::nullopt, std::move(data), {}});
}

void Client::handle_link_opened(LinkId link, Instant) {
    if (link == link_ && link_state_ == LinkState::opening) link_state_ = LinkState::handshaking;
}

void Client::handle_frame(LinkId link, FrameView frame, Instant now) {
    const bool up = link_state_ == LinkState::handshaking || link_state_ == LinkState::open;
    if (link != link_ || !up) return;
    const auto packet = engineio::decode_frame(frame);
    if (!packet) return lose_link(DisconnectReason::transport_error, now);
    switch (session_->handle_packet(Channel::current, *packet, now)) {
        case Effect::ignore:
            return;
        case Effect::opened:
            return handle_handshake(now);
        case Effect::answer_pong:
            outputs_.push_back(SendFrame{
                link_, engineio::encode_frame(engineio::PacketType::pong, packet->payload)});
            return;
        case Effect::deliver: {
            auto decoded = decoder_.decode({packet->payload_type, packet->payload}, now);
            if (!decoded) return lose_link(DisconnectReason::parse_error, now);
            if (*decoded) handle_packet(std::move(**decoded), now);
            return;
        }
        case Effect::close_session:
            return lose_link(disconnect_reason(session_->close_reason()), now);
        case Effect::switch_channel:
        case Effect::send_upgrade:
        case Effect::close_probe:
            return;  // this client starts on WebSocket and never probes
    }
}

void Client::handle_link_closed(LinkId link, Instant now) {
    if (link != link_ || link_state_ == LinkState::down || link_state_ == LinkState::waiting)
        return;
    if (link_state_ == LinkState::open) return lose_link(DisconnectReason::transport_close, now);
    fail_attempt("websocket error", now);
}

void Client::retry_now(Instant now) {
    if (link_state_ == LinkState::waiting) begin_attempt(now);
}

void Client::handle_timeout(Instant now) {
    if (link_deadline_ && *link_deadline_ <= now) {
        if (link_state_ == LinkState::waiting) {
            begin_attempt(now);
        } else {
            fail_attempt("timeout", now);
        }
    }
    if (link_state_ == LinkState::open &&
        session_->handle_timeout(now) == engineio::Session::Due::close_session) {
        lose_link(disconnect_reason(session_->close_reason()), now);
    }
    if (decoder_.next_timeout() && *decoder_.next_timeout() <= now) {
        lose_link(DisconnectReason::parse_error, now);
    }
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index) {
        expire_acks(index, now);
        if (namespaces_[index].lane) pump(index, now);
    }
}

std::optional<Instant> Client::next_timeout() const {
    auto soonest = earliest(link_deadline_, decoder_.next_timeout());
    if (link_state_ == LinkState::open) soonest = earliest(soonest, session_->next_timeout());
    for (const auto& nsp : namespaces_) {
        soonest = earliest(soonest, nsp.acks.next_timeout());
        if (nsp.lane) soonest = earliest(soonest, nsp.lane->resume_at);
    }
    return soonest;
}

std::optional<ClientOutput> Client::poll_output() { return outputs_.poll(); }

// ---- the link -----------------------------------------------------------------------------------

void Client::begin_attempt(Instant now) {
    ++link_;
    link_state_ = LinkState::opening;
    link_deadline_ = now + options_.open_timeout;
    session_.emplace(engineio::Role::client, engineio::Handshake{}, now);
    decoder_ = socketio::Decoder();
    outputs_.push_back(OpenLink{link_});
}

void Client::fail_attempt(std::string_view message, Instant now) {
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index) {
        if (namespaces_[index].wanted)
            outputs_.push_back(ConnectFailed{index, false, error_object(message)});
    }
    lose_link(DisconnectReason::transport_error, now);
}

void Client::lose_link(DisconnectReason reason, Instant now) {
    outputs_.push_back(CloseLink{link_});
    link_state_ = LinkState::down;
    link_deadline_.reset();
    session_.reset();
    decoder_ = socketio::Decoder();
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index)
        end_namespace(index, reason);
    schedule_attempt(now);
}

void Client::schedule_attempt(Instant now) {
    const bool exhausted = options_.reconnection_attempts != 0 &&
                           backoff_.attempts() >= options_.reconnection_attempts;
    if (!options_.reconnection || exhausted || !any_wanted()) return;
    const Millis delay = backoff_.next();
    link_state_ = LinkState::waiting;
    link_deadline_ = now + delay;
    outputs_.push_back(Reconnecting{backoff_.attempts(), delay});
}

void Client::close_if_unwanted() {
    if (any_wanted() || link_state_ == LinkState::down) return;
    if (link_state_ != LinkState::waiting) outputs_.push_back(CloseLink{link_});
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index) {
        end_namespace(index, DisconnectReason::io_client_disconnect);
    }
    link_state_ = LinkState::down;
    link_deadline_.reset();
    session_.reset();
    backoff_.reset();
}

void Client::handle_handshake(Instant) {
    link_state_ = LinkState::open;
    link_deadline_.reset();
    backoff_.reset();
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index) {
        if (namespaces_[index].wanted) ask_auth(index);
    }
}

void Client::ask_auth(NamespaceIndex index) {
    namespaces_[index].auth_asked = true;
    outputs_.push_back(AskAuth{index});
}

bool Client::any_wanted() const {
    return std::any_of(namespaces_.begin(), namespaces_.end(),
                       [](const Namespace& nsp) { return nsp.wanted; });
}

// ---- namespaces ---------------------------------------------------------------------------------

void Client::handle_packet(socketio::Packet packet, Instant now) {
    const auto found = std::find_if(namespaces_.begin(), namespaces_.end(),
                                    [&](const Namespace& nsp) { return nsp.name == packet.nsp; });
    if (found == namespaces_.end()) return;
    Namespace& nsp = *found;
    const auto index = static_cast<NamespaceIndex>(found - namespaces_.begin());
    switch (socketio::client_effect(nsp.state, packet.type)) {
        case NamespaceEffect::connected:
            return handle_connected(index, packet, now);
        case NamespaceEffect::refused:
            nsp.wanted = false;
            nsp.state = NamespaceState::absent;
            outputs_.push_back(ConnectFailed{
                index, true,
                packet.data.starts_with('{') ? packet.data : R"({"message":)" + packet.data + '}'});
            return close_if_unwanted();
        case NamespaceEffect::event:
            return handle_event(index, std::move(packet), now);
        case NamespaceEffect::ack:
            return handle_ack(index, std::move(packet), now);
        case NamespaceEffect::left:
            nsp.wanted = false;
            end_namespace(index, DisconnectReason::io_server_disconnect);
            return close_if_unwanted();
        case NamespaceEffect::hold:
            nsp.held_bytes += packet.data.size();
            if (nsp.held_bytes > limits::held_bytes)
                return lose_link(DisconnectReason::parse_error, now);
            nsp.held.push_back(std::move(packet));
            return;
        case NamespaceEffect::ignore:
            return;
        case NamespaceEffect::connect_requested:
        case NamespaceEffect::violation:
            return lose_link(DisconnectReason::parse_error, now);
    }
}

void Client::handle_connected(NamespaceIndex index, const socketio::Packet& packet, Instant now) {
    Namespace& nsp = namespaces_[index];
    if (!nsp.wanted) {
        nsp.state = NamespaceState::absent;
        return send_packet({PacketType::disconnect, nsp.name, std::nullopt, {}, {}});
    }
    const auto member = [&](std::string_view key) {
        const auto value = json::member(packet.data, key);
        return value ? json::as_string(*value).value_or("") : std::string();
    };
    Connected connected{index, member("sid"), member("pid"), false, Guarantee::at_most_once};
    if (connected.sid.empty()) {
        outputs_.push_back(ConnectFailed{
            index, false,
            error_object("the server answered without a session id: is it Socket.IO 2 or older?")});
        return;
    }
    nsp.state = NamespaceState::connected;
    connected.recovered = !connected.pid.empty() && connected.pid == nsp.pid;
    nsp.pid = connected.pid;
    if (nsp.lane) connected.guarantee = attach_lane(index, packet.data, now);

    // The reference's order: events that came before the answer, then what waited to be sent.
    auto held = std::move(nsp.held);
    nsp.held.clear();
    nsp.held_bytes = 0;
    for (auto& event : held) {
        handle_event(index, std::move(event), now);
        if (!is_connected(index)) return;
    }
    for (const auto& waiting : nsp.send_buffer) send_packet(waiting);
    nsp.send_buffer.clear();
    outputs_.push_back(std::move(connected));
    if (nsp.lane) pump(index, now);
}

void Client::handle_event(NamespaceIndex index, socketio::Packet packet, Instant now) {
    Namespace& nsp = namespaces_[index];
    const auto elements = json::elements(packet.data);
    if (nsp.lane && nsp.lane->mode == LaneMode::attached &&
        is_delivery_event(json::as_string(elements[0]).value_or(""))) {
        if (!handle_delivery_event(index, packet.data, now)) {
            lose_link(DisconnectReason::parse_error, now);
        }
        return;
    }
    if (!nsp.pid.empty() && elements.size() > 1) {
        if (auto offset = json::as_string(elements.back())) nsp.last_offset = std::move(*offset);
    }
    EventArrived event{
        index, std::move(packet.data), std::move(packet.attachments), packet.ack_id, {}};
    if (nsp.lane && !take_position(index, event)) return;
    outputs_.push_back(std::move(event));
}

void Client::handle_ack(NamespaceIndex index, socketio::Packet packet, Instant now) {
    Namespace& nsp = namespaces_[index];
    if (!nsp.acks.settle(*packet.ack_id)) return;  // late or unknown: allowed, ignored
    if (nsp.lane && nsp.lane->stock_ack == packet.ack_id) {
        nsp.lane->stock_ack.reset();
        std::vector<delivery::Sequence> erase;
        settle(index, nsp.lane->stock_sequence, true, packet.data, erase);
        save(index, std::move(erase), {});
        return pump(index, now);
    }
    outputs_.push_back(
        AckArrived{index, *packet.ack_id, std::move(packet.data), std::move(packet.attachments)});
}

void Client::expire_acks(NamespaceIndex index, Instant now) {
    Namespace& nsp = namespaces_[index];
    for (const auto id : nsp.acks.expire(now)) {
        if (nsp.lane && nsp.lane->stock_ack == id) {
            nsp.lane->stock_ack.reset();
            requeue(index, nsp.lane->outbox.link_lost());
            continue;
        }
        std::erase_if(nsp.send_buffer, [&](const auto& packet) { return packet.ack_id == id; });
        outputs_.push_back(AckLost{index, id, AckLost::Why::timed_out});
    }
}

void Client::end_namespace(NamespaceIndex index, DisconnectReason reason) {
    Namespace& nsp = namespaces_[index];
    const bool was_connected = nsp.state == NamespaceState::connected;
    nsp.state = NamespaceState::absent;
    nsp.auth_asked = false;
    nsp.held.clear();
    nsp.held_bytes = 0;
    if (!was_connected) return;  // then no ack was asked for on the wire either
    outputs_.push_back(Disconnected{index, reason});
    if (nsp.lane) detach_lane(index);
    for (const auto id : nsp.acks.abandon_all()) {
        outputs_.push_back(AckLost{index, id, AckLost::Why::disconnected});
    }
}

void Client::send_packet(const socketio::Packet& packet) {
    for (auto& frame : socketio::encode(packet))
        outputs_.push_back(SendFrame{link_, std::move(frame)});
}

bool Client::is_connected(NamespaceIndex index) const {
    return namespaces_[index].state == NamespaceState::connected && link_state_ == LinkState::open;
}

const delivery::Outbox* Client::outbox(NamespaceIndex index) const {
    const auto& lane = namespaces_[index].lane;
    return lane ? &lane->outbox : nullptr;
}

std::optional<delivery::Position> Client::position(NamespaceIndex index) const {
    const auto& lane = namespaces_[index].lane;
    return lane ? lane->cursor.position() : std::nullopt;
}

}  // namespace oncewire::peer
