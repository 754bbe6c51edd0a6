#include "shared/peer/client.hpp"

#include <algorithm>

#include "shared/base/decimal.hpp"
#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/verify.hpp"
#include "shared/peer/close_reason.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::peer {
namespace {

using socketio::Decoder;
using socketio::DisconnectReason;
using socketio::NamespaceEffect;
using socketio::NamespaceState;

std::string event_name(std::string_view data) {
    return json::as_string(json::elements(data)[0]).value_or("");
}

std::string error_object(std::string_view message) {
    return R"({"message":)" + json::quoted(message) + '}';
}

std::string error_object(const EngineClient::Error& error) {
    std::string text = R"({"message":)" + json::quoted(error.message);
    if (error.status) {
        text += R"(,"status":)";
        append_decimal(text, *error.status);
    }
    return text + '}';
}

std::string description(std::string_view words) {
    return R"({"description":)" + json::quoted(words) + '}';
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

Client::Client(Options options, Prng prng)
    : options_(std::move(options)), backoff_(options_.backoff, prng), engine_(options_.engine) {}

NamespaceIndex Client::open_namespace(std::string_view name, std::optional<RestoredLane> lane) {
    Namespace& added = namespaces_.emplace_back();
    added.name = std::string(name);
    if (lane) {
        added.lane.emplace(Lane{std::move(lane->producer),
                                delivery::Outbox(options_.outbox, lane->salt),
                                delivery::Cursor(std::move(lane->position)),
                                delivery::Cursor(),
                                LaneMode::detached,
                                {},
                                {},
                                0,
                                {},
                                1,
                                false,
                                false,
                                {},
                                {},
                                0});
        added.lane->outbox.restore(lane->next_sequence, std::move(lane->entries));
    }
    return static_cast<NamespaceIndex>(namespaces_.size() - 1);
}

// ---- application --------------------------------------------------------------------------------

void Client::set_options(const Options& options) {
    options_ = options;
    backoff_.set_policy(options.backoff);
    if (options.reconnection || link_state_ != LinkState::waiting) return;
    link_state_ = LinkState::down;
    link_deadline_.reset();
}

void Client::open(Instant now) {
    keep_open_ = true;
    if (link_state_ != LinkState::down) return;
    backoff_.reset();
    begin_attempt(now);
}

void Client::close(Instant) {
    keep_open_ = false;
    end_link();
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index)
        end_namespace(index, DisconnectReason::forced_close);
}

void Client::close_link(Instant now) {
    if (link_state_ == LinkState::opening) return fail_attempt(error_object("forced close"), now);
    if (link_state_ == LinkState::open) lose_link(DisconnectReason::forced_close, {}, now);
}

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
    const bool connected = is_connected(index);
    // While CONNECT is unanswered a DISCONNECT would be a violation; the answer is met with it.
    if (connected) send_packet({socketio::PacketType::disconnect, nsp.name, std::nullopt, {}, {}});
    close_if_unwanted();
    if (nsp.state != NamespaceState::connected) return;
    // Whoever says goodbye has no session to come back to.
    nsp.pid.clear();
    nsp.last_offset.clear();
    end_namespace(index, DisconnectReason::io_client_disconnect);
}

Result<std::optional<socketio::AckId>, EmitError> Client::emit(NamespaceIndex index,
                                                               std::string data,
                                                               std::vector<std::string> attachments,
                                                               EmitOptions options, Instant now) {
    Namespace& nsp = namespaces_[index];
    if (const auto error = check_event(data, limits::json_depth)) return Err{*error};
    notice_silence(now);
    const bool connected = is_connected(index);
    if (options.is_volatile && !(connected && engine_.is_writable()))
        return std::optional<socketio::AckId>();
    if (!connected && nsp.send_buffer.size() >= limits::send_buffer_packets) {
        return Err{EmitError::outbox_full};
    }
    socketio::Packet packet{socketio::PacketType::event, nsp.name, std::nullopt, std::move(data),
                            std::move(attachments)};
    if (options.wants_ack) {
        packet.ack_id = nsp.acks.expect(
            options.ack_timeout ? std::optional(now + *options.ack_timeout) : std::nullopt);
    }
    const auto ack_id = packet.ack_id;
    if (!connected) {
        nsp.send_buffer.push_back(std::move(packet));
    } else if (!send_packet(packet)) {
        if (ack_id) nsp.acks.settle(*ack_id);
        return Err{EmitError::too_large};
    }
    return ack_id;
}

std::optional<EmitError> Client::check_event(std::string_view data, std::uint32_t depth_max) {
    if (data.size() > limits::emitted_bytes) return EmitError::too_large;
    if (!json::is_valid(data, depth_max)) return EmitError::not_an_event;
    const auto elements = json::elements(data);
    if (elements.empty()) return EmitError::not_an_event;
    if (json::kind_of(elements[0]) == json::Kind::number) return std::nullopt;
    const auto name = json::as_string(elements[0]);
    if (!name) return EmitError::not_an_event;
    if (socketio::is_reserved_event(*name) || is_delivery_event(*name))
        return EmitError::reserved_name;
    return std::nullopt;
}

bool Client::acknowledge(NamespaceIndex index, socketio::AckId id, std::string_view data,
                         std::vector<std::string> attachments) {
    if (!is_connected(index)) return true;
    return send_packet({socketio::PacketType::ack, namespaces_[index].name, id, std::string(data),
                        std::move(attachments)});
}

// ---- host ---------------------------------------------------------------------------------------

void Client::provide_auth(NamespaceIndex index, std::string_view auth, Instant) {
    Namespace& nsp = namespaces_[index];
    if (!nsp.auth_asked || !nsp.wanted || link_state_ != LinkState::open) return;
    nsp.auth_asked = false;
    nsp.state = NamespaceState::connecting;
    std::string data = connect_data(auth, nsp.pid, nsp.last_offset);
    if (const auto& lane = nsp.lane) {
        data = add_capability(
            data, {lane->producer, lane->cursor.position(), true, true, lane->outbox.first()});
    }
    if (json::trim(data) == "{}") data.clear();
    if (send_packet({socketio::PacketType::connect, nsp.name, std::nullopt, std::move(data), {}}))
        return;
    nsp.wanted = false;
    nsp.state = NamespaceState::absent;
    close_if_unwanted();
    outputs_.push_back(ConnectFailed{index, true, error_object("auth is too large")});
}

void Client::handle_link_opened(LinkId link, Instant now) {
    engine_.handle_link_opened(link, outputs_);
    drain_engine(now);
}

void Client::handle_frame(LinkId link, FrameView frame, Instant now) {
    engine_.handle_frame(link, frame, outputs_);
    drain_engine(now);
}

void Client::handle_link_closed(LinkId link, Instant now) {
    engine_.handle_link_closed(link, outputs_);
    drain_engine(now);
}

void Client::handle_response(LinkId link, bool is_post, std::uint32_t status, std::string_view body,
                             Instant now) {
    engine_.handle_response(link, is_post, status, body, outputs_);
    drain_engine(now);
}

void Client::handle_network_lost(Instant now) {
    if (link_state_ == LinkState::open) {
        lose_link(DisconnectReason::transport_close, description("network connection lost"), now);
    }
}

bool Client::notice_silence(Instant now) {
    if (!engine_.is_overdue(now)) return true;
    engine_.handle_timeout(now, outputs_);
    drain_engine(now);
    return false;
}

void Client::retry_now(Instant now) {
    handle_timeout(now);
    if (link_state_ == LinkState::waiting) begin_attempt(now);
}

void Client::handle_timeout(Instant now) {
    if (link_deadline_ && *link_deadline_ <= now) {
        if (link_state_ == LinkState::waiting) {
            begin_attempt(now);
        } else {
            fail_attempt(error_object("timeout"), now);
        }
    }
    engine_.handle_timeout(now, outputs_);
    drain_engine(now);
    if (decoder_.next_timeout() && *decoder_.next_timeout() <= now) {
        refuse_packet(error_text(socketio::DecodeError::attachments_late), now);
    }
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index) {
        expire_acks(index, now);
        if (namespaces_[index].lane) pump(index, now);
    }
}

std::optional<Instant> Client::next_timeout() const {
    auto soonest = earliest(link_deadline_, decoder_.next_timeout());
    soonest = earliest(soonest, engine_.next_timeout());
    for (const auto& nsp : namespaces_) {
        soonest = earliest(soonest, nsp.acks.next_timeout());
        if (nsp.lane) soonest = earliest(soonest, nsp.lane->resume_at);
    }
    return soonest;
}

std::optional<ClientOutput> Client::poll_output() {
    if (outputs_.empty() && link_state_ == LinkState::opening && engine_.is_closed()) open_engine();
    if (outputs_.empty()) engine_.flush(outputs_);
    return outputs_.poll();
}

// ---- the link -----------------------------------------------------------------------------------

void Client::begin_attempt(Instant now) {
    link_state_ = LinkState::opening;
    link_deadline_.reset();
    if (options_.open_timeout) link_deadline_ = now + *options_.open_timeout;
    decoder_ = Decoder();
    attempt_begun_ = now;
    outputs_.push_back(AttemptBegun{});
}

/// What the attempt is made of: as the options are now.
void Client::open_engine() {
    if (options_.engine.transports.empty())
        return fail_attempt(error_object("No transports available"), attempt_begun_);
    engine_.set_options(options_.engine);
    engine_.open(attempt_begun_, outputs_);
}

void Client::drain_engine(Instant now) {
    using Kind = EngineClient::Event::Kind;
    while (const auto event = engine_.next_event(now, outputs_)) {
        switch (event->kind) {
            case Kind::opened:
                handle_opened();
                break;
            case Kind::message:
                handle_message(event->message, now);
                break;
            case Kind::upgraded:
                outputs_.push_back(LinkUpgraded{});
                break;
            case Kind::pinged:
                outputs_.push_back(Pinged{});
                break;
            case Kind::closed:
                handle_closed(now);
                break;
        }
    }
}

/// The session ended without our asking for it.
void Client::handle_closed(Instant now) {
    const auto& error = engine_.error();
    const auto reason = disconnect_reason(engine_.close_reason());
    if (link_state_ == LinkState::opening) {
        return fail_attempt(error ? error_object(*error) : error_object(reason_text(reason)), now);
    }
    std::string detail;
    if (error) {
        outputs_.push_back(LinkFailed{error_object(*error)});
        detail = R"({"error":)" + error_object(*error) + '}';
    } else if (!engine_.close_description().empty()) {
        detail = description(engine_.close_description());
    }
    lose_link(reason, std::move(detail), now);
}

void Client::fail_attempt(std::string error, Instant now) {
    engine_.close(outputs_);
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index) {
        if (namespaces_[index].wanted) outputs_.push_back(ConnectFailed{index, false, error});
    }
    outputs_.push_back(AttemptFailed{std::move(error)});
    link_state_ = LinkState::down;
    link_deadline_.reset();
    schedule_attempt(now);
}

void Client::lose_link(DisconnectReason reason, std::string detail, Instant now) {
    engine_.close(outputs_);
    link_state_ = LinkState::down;
    decoder_ = Decoder();
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index)
        end_namespace(index, reason, detail);
    outputs_.push_back(LinkClosed{reason, std::move(detail)});
    schedule_attempt(now);
}

/// What the server sent is no packet, or none that may come now.
void Client::refuse_packet(std::string_view why, Instant now) {
    lose_link(DisconnectReason::parse_error, R"({"error":)" + error_object(why) + '}', now);
}

void Client::schedule_attempt(Instant now) {
    if (!options_.reconnection || !any_wanted()) return;
    if (options_.reconnection_attempts != 0 &&
        backoff_.attempts() >= options_.reconnection_attempts) {
        return outputs_.push_back(GaveUp{});
    }
    const Millis delay = backoff_.next();
    link_state_ = LinkState::waiting;
    link_deadline_ = now + delay;
    outputs_.push_back(Reconnecting{backoff_.attempts(), delay});
}

/// The last one that wanted the link is gone.
void Client::close_if_unwanted() {
    const bool wanted = std::any_of(namespaces_.begin(), namespaces_.end(),
                                    [](const Namespace& nsp) { return nsp.wanted; });
    if (wanted) return;
    keep_open_ = false;
    end_link();
}

void Client::end_link() {
    engine_.close(outputs_);
    link_state_ = LinkState::down;
    link_deadline_.reset();
    decoder_ = Decoder();
    backoff_.reset();
    outputs_.push_back(LinkClosed{DisconnectReason::forced_close, {}});
    for (Namespace& nsp : namespaces_) {
        nsp.auth_asked = false;
        if (nsp.state == NamespaceState::connecting) nsp.state = NamespaceState::absent;
    }
}

void Client::handle_opened() {
    link_state_ = LinkState::open;
    link_deadline_.reset();
    backoff_.reset();
    outputs_.push_back(LinkOpened{engine_.transport(), engine_.handshake().sid.text});
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index) {
        if (namespaces_[index].wanted) ask_auth(index);
    }
}

void Client::handle_message(FrameView message, Instant now) {
    auto decoded = decoder_.decode(message, now, limits::received_bytes);
    if (!decoded) return refuse_packet(error_text(decoded.error()), now);
    if (*decoded) handle_packet(std::move(**decoded), now);
}

void Client::ask_auth(NamespaceIndex index) {
    namespaces_[index].auth_asked = true;
    outputs_.push_back(AskAuth{index});
}

bool Client::any_wanted() const {
    return keep_open_ || std::any_of(namespaces_.begin(), namespaces_.end(),
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
            close_if_unwanted();
            return outputs_.push_back(ConnectFailed{
                index, true,
                packet.data.starts_with('{') ? packet.data : R"({"message":)" + packet.data + '}'});
        case NamespaceEffect::event:
            return handle_event(index, std::move(packet), now);
        case NamespaceEffect::ack:
            return handle_ack(index, std::move(packet), now);
        case NamespaceEffect::left:
            nsp.wanted = false;
            close_if_unwanted();
            return end_namespace(index, DisconnectReason::io_server_disconnect);
        case NamespaceEffect::hold:
            nsp.held_bytes += packet.data.size();
            if (nsp.held_bytes > limits::held_bytes)
                return refuse_packet("too much before the answer to CONNECT", now);
            nsp.held.push_back(std::move(packet));
            return;
        case NamespaceEffect::ignore:
            return;
        case NamespaceEffect::connect_requested:
        case NamespaceEffect::violation:
            return refuse_packet("a packet that may not come now", now);
    }
}

void Client::handle_connected(NamespaceIndex index, const socketio::Packet& packet, Instant now) {
    Namespace& nsp = namespaces_[index];
    if (!nsp.wanted) {
        nsp.state = NamespaceState::absent;
        send_packet({socketio::PacketType::disconnect, nsp.name, std::nullopt, {}, {}});
        return;
    }
    const auto member = [&](std::string_view key) {
        const auto value = json::member(packet.data, key);
        return value ? json::as_string(*value).value_or("") : std::string();
    };
    Connected connected{index, member("sid"),          member("pid"),
                        false, member("notRecovered"), Guarantee::at_most_once};
    if (connected.sid.empty()) {
        outputs_.push_back(ConnectFailed{
            index, false, error_object("no session id: is the server Socket.IO 2 or older?")});
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
    send_waiting(index);
    outputs_.push_back(std::move(connected));
    if (!nsp.lane) return;
    tell_noticed(index);
    pump(index, now);
}

void Client::send_waiting(NamespaceIndex index) {
    Namespace& nsp = namespaces_[index];
    for (const auto& waiting : std::exchange(nsp.send_buffer, {})) {
        if (send_packet(waiting) || !waiting.ack_id) continue;
        nsp.acks.settle(*waiting.ack_id);
        outputs_.push_back(AckLost{index, *waiting.ack_id, AckLost::Why::too_large});
    }
}

void Client::handle_event(NamespaceIndex index, socketio::Packet packet, Instant now) {
    Namespace& nsp = namespaces_[index];
    if (nsp.lane && nsp.lane->mode == LaneMode::attached &&
        is_delivery_event(event_name(packet.data))) {
        if (!handle_delivery_event(index, packet.data, now)) {
            refuse_packet("a malformed delivery event", now);
        }
        return;
    }
    if (!nsp.pid.empty()) {
        const auto elements = json::elements(packet.data);
        const auto offset = elements.size() > 1 ? json::as_string(elements.back()) : std::nullopt;
        if (offset) nsp.last_offset = *offset;
    }
    EventArrived event{
        index, std::move(packet.data), std::move(packet.attachments), packet.ack_id, {}};
    if (nsp.lane && !take_position(index, event, now)) return;
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

void Client::end_namespace(NamespaceIndex index, DisconnectReason reason,
                           const std::string& detail) {
    Namespace& nsp = namespaces_[index];
    const bool was_connected = nsp.state == NamespaceState::connected;
    nsp.state = NamespaceState::absent;
    nsp.auth_asked = false;
    nsp.held.clear();
    nsp.held_bytes = 0;
    if (!was_connected) return;  // then no ack was asked for on the wire either
    outputs_.push_back(Disconnected{index, reason, detail});
    if (nsp.lane) detach_lane(index);
    for (const auto id : nsp.acks.abandon_all()) {
        outputs_.push_back(AckLost{index, id, AckLost::Why::disconnected});
    }
}

/// All of it, or, if the server would end the link over its size, nothing: false.
bool Client::send_packet(const socketio::Packet& packet) {
    auto frames = socketio::encode(packet);
    const bool fits = std::all_of(frames.begin(), frames.end(),
                                  [this](const Frame& frame) { return engine_.may_send(frame); });
    if (!fits) return false;
    for (auto& frame : frames) engine_.send(std::move(frame), outputs_);
    return true;
}

bool Client::is_connected(NamespaceIndex index) const {
    return namespaces_[index].state == NamespaceState::connected && link_state_ == LinkState::open;
}

bool Client::is_joining() const {
    return std::any_of(namespaces_.begin(), namespaces_.end(), [](const Namespace& nsp) {
        return nsp.state == NamespaceState::connecting;
    });
}

bool Client::is_tracking(NamespaceIndex index) const {
    const Namespace& nsp = namespaces_[index];
    return nsp.lane || !nsp.pid.empty();
}

bool Client::is_at_rest() const {
    return link_state_ == LinkState::down && engine_.is_at_rest() && !any_wanted() &&
           std::all_of(namespaces_.begin(), namespaces_.end(), [](const Namespace& nsp) {
               return nsp.send_buffer.empty() &&
                      (!nsp.lane ||
                       (nsp.lane->outbox.entries().empty() && nsp.lane->saves.empty()));
           });
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
