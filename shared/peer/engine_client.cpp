#include "shared/peer/engine_client.hpp"

#include <algorithm>
#include <utility>

#include "shared/base/limits.hpp"
#include "shared/engineio/payload.hpp"

namespace oncewire::peer {

using engineio::Channel;
using engineio::CloseReason;
using engineio::Effect;
using engineio::SessionState;
using engineio::TransportKind;

// ---- beginning and end --------------------------------------------------------------------------

void EngineClient::open(Instant now, ClientOutputs& out) {
    state_ = State::opening;
    error_.reset();
    close_description_.clear();
    candidate_ = 0;
    const auto& transports = options_.transports;
    const auto websocket =
        std::find(transports.begin(), transports.end(), TransportKind::websocket);
    if (options_.remember_upgrade && websocket_worked_ && websocket != transports.end()) {
        candidate_ = static_cast<std::size_t>(websocket - transports.begin());
    }
    session_.emplace(engineio::Role::client, engineio::Handshake{}, now);
    open_transport(out);
}

void EngineClient::open_transport(ClientOutputs& out) {
    transport_ = options_.transports[candidate_];
    link_ = ++last_link_;
    out.push_back(OpenLink{link_, transport_, {}});
    if (is_polling()) poll(out);
}

bool EngineClient::try_next_transport(ClientOutputs& out) {
    if (!options_.try_all_transports || candidate_ + 1 >= options_.transports.size()) return false;
    drop_links(out);
    ++candidate_;
    open_transport(out);
    return true;
}

void EngineClient::close(ClientOutputs& out) {
    if (state_ == State::open && is_polling()) {
        farewell_ = Farewell{link_, handshake().sid.text, {}};
        if (!waiting_.empty()) farewell_->waiting = engineio::encode_payload(waiting_);
        if (!post_in_flight_) continue_farewell(out);
    }
    if (state_ == State::closed) return;
    end(CloseReason::forced_close, out);
    has_ended_ = false;
}

/// What waits, then the close packet in a request of its own: a reference server that meets it in the
/// same body closes before it has heard the rest.
void EngineClient::continue_farewell(ClientOutputs& out) {
    std::string body = std::exchange(farewell_->waiting, {});
    const bool is_last = body.empty();
    if (is_last) body = engineio::encode_frame(engineio::PacketType::close).bytes;
    out.push_back(SendRequest{farewell_->link, farewell_->sid, std::move(body)});
    if (is_last) farewell_.reset();
}

/// A transport does not work: the next one, or the end.
void EngineClient::fail(Error error, ClientOutputs& out) {
    websocket_worked_ = false;
    if (state_ == State::opening && try_next_transport(out)) return;
    error_ = std::move(error);
    end(CloseReason::transport_error, out);
}

void EngineClient::end(CloseReason reason, ClientOutputs& out) {
    drop_links(out);
    state_ = State::closed;
    close_reason_ = reason;
    has_ended_ = true;
}

void EngineClient::drop_links(ClientOutputs& out) {
    if (probe_ != 0) out.push_back(CloseLink{std::exchange(probe_, 0)});
    out.push_back(CloseLink{link_});
    get_in_flight_ = post_in_flight_ = false;
    waiting_.clear();
    payload_.clear();
    payload_taken_ = 0;
    frame_.reset();
}

// ---- inputs -------------------------------------------------------------------------------------

void EngineClient::handle_link_opened(LinkId link, ClientOutputs& out) {
    if (link != probe_ || probe_ == 0) return;
    out.push_back(SendFrame{probe_, engineio::encode_frame(engineio::PacketType::ping, "probe")});
}

void EngineClient::handle_frame(LinkId link, FrameView frame, ClientOutputs&) {
    if (state_ == State::closed) return;
    const bool is_probe = link == probe_ && probe_ != 0;
    if (!is_probe && (link != link_ || is_polling())) return;
    frame_ = frame;
    frame_channel_ = is_probe ? Channel::probe : Channel::current;
}

void EngineClient::handle_link_closed(LinkId link, ClientOutputs& out) {
    if (state_ == State::closed) return;
    if (link == probe_ && probe_ != 0) return drop_probe(out);
    if (link != link_) return;
    if (state_ == State::opening) return fail({"websocket error", std::nullopt}, out);
    close_description_ = "websocket connection closed";
    end(CloseReason::transport_close, out);
}

void EngineClient::handle_response(LinkId link, bool is_post, std::uint32_t status,
                                   std::string_view body, ClientOutputs& out) {
    if (is_post && farewell_ && farewell_->link == link) {
        return continue_farewell(out);
    }
    if (state_ == State::closed || link != link_ || !is_polling()) return;
    (is_post ? post_in_flight_ : get_in_flight_) = false;
    if (status != 200) return fail({is_post ? "xhr post error" : "xhr poll error", status}, out);
    if (is_post) return;
    auto frames = engineio::decode_payload(body, limits::packets_per_payload);
    if (!frames) return fail({"server error", std::nullopt}, out);
    payload_ = std::move(*frames);
    payload_taken_ = 0;
}

void EngineClient::handle_timeout(Instant now, ClientOutputs& out) {
    if (state_ == State::closed) return;
    switch (session_->handle_timeout(now)) {
        case engineio::Session::Due::close_session:
            return end(session_->close_reason(), out);
        case engineio::Session::Due::close_probe:
            return drop_probe(out);
        case engineio::Session::Due::send_ping:
        case engineio::Session::Due::nothing:
            return;
    }
}

std::optional<Instant> EngineClient::next_timeout() const {
    return state_ == State::closed ? std::nullopt : session_->next_timeout();
}

// ---- what came ----------------------------------------------------------------------------------

std::optional<EngineClient::Event> EngineClient::next_event(Instant now, ClientOutputs& out) {
    while (state_ != State::closed && (frame_ || payload_taken_ < payload_.size())) {
        const bool alone = frame_.has_value();
        const FrameView frame = alone ? *frame_ : FrameView(payload_[payload_taken_++]);
        frame_.reset();
        if (auto event = apply(alone ? frame_channel_ : Channel::current, frame, now, out))
            return event;
    }
    payload_ = std::vector<Frame>();
    payload_taken_ = 0;
    if (state_ == State::open && is_polling()) {
        if (is_upgrading()) return finish_upgrade(out);
        poll(out);
    }
    if (!std::exchange(has_ended_, false)) return std::nullopt;
    return Event{Event::Kind::closed, {}};
}

std::optional<EngineClient::Event> EngineClient::apply(Channel channel, FrameView frame,
                                                       Instant now, ClientOutputs& out) {
    const auto packet = engineio::decode_frame(frame);
    if (!packet) {
        if (channel == Channel::probe)
            drop_probe(out);
        else
            fail({"server error", std::nullopt}, out);
        return std::nullopt;
    }
    switch (session_->handle_packet(channel, *packet, now)) {
        case Effect::ignore:
            return std::nullopt;
        case Effect::opened:
            return handle_opened(now, out);
        case Effect::answer_pong:
            send(engineio::encode_frame(engineio::PacketType::pong, packet->payload), out);
            return Event{Event::Kind::pinged, {}};
        case Effect::deliver:
            return Event{Event::Kind::message, {packet->payload_type, packet->payload}};
        case Effect::send_upgrade:  // finished when no request is under way
            websocket_worked_ = true;
            return std::nullopt;
        case Effect::close_probe:
            drop_probe(out);
            return std::nullopt;
        case Effect::close_session:
            if (state_ == State::open) close_description_ = "transport closed by the server";
            end(session_->close_reason(), out);
            return std::nullopt;
        case Effect::switch_channel:
            return std::nullopt;  // a server's
    }
    return std::nullopt;
}

EngineClient::Event EngineClient::handle_opened(Instant now, ClientOutputs& out) {
    state_ = State::open;
    websocket_worked_ = !is_polling();
    const auto& kinds = options_.transports;
    const bool may_upgrade =
        is_polling() && options_.upgrade && handshake().websocket_upgrade &&
        std::find(kinds.begin(), kinds.end(), TransportKind::websocket) != kinds.end();
    if (may_upgrade && session_->begin_probe(now)) {
        probe_ = ++last_link_;
        out.push_back(OpenLink{probe_, TransportKind::websocket, handshake().sid.text});
    }
    return {Event::Kind::opened, {}};
}

// ---- upgrade ------------------------------------------------------------------------------------

bool EngineClient::is_upgrading() const { return session_->state() == SessionState::probed; }

void EngineClient::drop_probe(ClientOutputs& out) {
    session_->abandon_probe();
    out.push_back(CloseLink{std::exchange(probe_, 0)});
}

/// [EIO4 Upgrade] Once nothing is under way by polling, everything goes by the WebSocket.
std::optional<EngineClient::Event> EngineClient::finish_upgrade(ClientOutputs& out) {
    if (get_in_flight_ || post_in_flight_ || !session_->finish_upgrade()) return std::nullopt;
    out.push_back(SendFrame{probe_, engineio::encode_frame(engineio::PacketType::upgrade)});
    out.push_back(CloseLink{link_});
    link_ = std::exchange(probe_, 0);
    transport_ = TransportKind::websocket;
    for (auto& frame : std::exchange(waiting_, {})) send(std::move(frame), out);
    return Event{Event::Kind::upgraded, {}};
}

// ---- sending ------------------------------------------------------------------------------------

bool EngineClient::is_writable() const {
    return state_ == State::open && !(is_polling() && (post_in_flight_ || is_upgrading()));
}

/// By polling, the smallest body that carries it.
bool EngineClient::may_send(const Frame& frame) const {
    if (state_ != State::open || !handshake().names_payload_max) return true;
    std::size_t bytes = frame.bytes.size();
    if (is_polling() && frame.type == FrameType::binary) bytes = 1 + (bytes + 2) / 3 * 4;
    return bytes <= handshake().payload_bytes_max;
}

bool EngineClient::is_overdue(Instant now) const {
    return state_ == State::open && session_->is_peer_overdue(now);
}

void EngineClient::send(Frame frame, ClientOutputs& out) {
    if (state_ != State::open) return;
    if (!is_polling()) return out.push_back(SendFrame{link_, std::move(frame)});
    waiting_.push_back(std::move(frame));
}

void EngineClient::poll(ClientOutputs& out) {
    if (get_in_flight_) return;
    get_in_flight_ = true;
    out.push_back(
        SendRequest{link_, state_ == State::open ? handshake().sid.text : "", std::nullopt});
}

void EngineClient::flush(ClientOutputs& out) {
    if (state_ != State::open || !is_polling() || waiting_.empty()) return;
    if (post_in_flight_ || is_upgrading()) return;
    post_in_flight_ = true;
    out.push_back(SendRequest{link_, handshake().sid.text, take_payload()});
}

/// As many of the waiting frames as the server takes in one body; at least one.
std::string EngineClient::take_payload() {
    std::string body;
    std::size_t count = 0;
    for (const auto& frame : waiting_) {
        const std::size_t before = body.size();
        engineio::append_to_payload(body, frame);
        if (before > 0 && body.size() > handshake().payload_bytes_max) {
            body.resize(before);
            break;
        }
        ++count;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    return body;
}

}  // namespace oncewire::peer
