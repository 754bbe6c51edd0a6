#include "shared/peer/server_connection.hpp"

#include "shared/base/limits.hpp"
#include "shared/peer/close_reason.hpp"
#include "shared/socketio/encoder.hpp"

namespace oncewire::peer {
namespace {

using engineio::Channel;
using engineio::CloseReason;
using engineio::Effect;
using socketio::DisconnectReason;
using socketio::NamespaceEffect;
using socketio::NamespaceState;

}  // namespace

ServerConnection::ServerConnection(Options options, Instant now)
    : session_(engineio::Role::server, std::move(options.handshake), now),
      speaks_socketio_(options.speaks_socketio) {
    if (speaks_socketio_) connect_deadline_ = now + options.connect_timeout;
    if (options.transport == engineio::TransportKind::websocket) session_.started_on_websocket();
    transmit(Channel::current, engineio::encode_frame(engineio::PacketType::open,
                                                      encode_handshake(session_.handshake())));
}

void ServerConnection::handle_frame(Channel channel, FrameView frame, Instant now) {
    if (is_closed()) return;
    const auto packet = engineio::decode_frame(frame);
    if (!packet) {
        if (channel == Channel::current)
            return finish(CloseReason::parse_error, DisconnectReason::parse_error);
        session_.abandon_probe();
        outputs_.push_back(CloseChannel{Channel::probe, CloseReason::transport_close});
        return;
    }
    switch (session_.handle_packet(channel, *packet, now)) {
        case Effect::ignore:
            return;
        case Effect::deliver: {
            if (!speaks_socketio_) {
                outputs_.push_back(
                    MessageReceived{{packet->payload_type, std::string(packet->payload)}});
                return;
            }
            auto decoded = decoder_.decode({packet->payload_type, packet->payload}, now,
                                           session_.handshake().payload_bytes_max);
            // The reference closes the transport on a bad packet, and its applications see this reason.
            if (!decoded) return finish(CloseReason::forced_close, DisconnectReason::forced_close);
            if (*decoded) handle_packet(std::move(**decoded));
            return;
        }
        case Effect::answer_pong:
            return transmit(channel,
                            engineio::encode_frame(engineio::PacketType::pong, packet->payload));
        case Effect::switch_channel:
            outputs_.push_back(ChannelSwitched{});
            return;
        case Effect::close_probe:
            outputs_.push_back(CloseChannel{Channel::probe, CloseReason::transport_close});
            return;
        case Effect::close_session:
            return finish(session_.close_reason(), disconnect_reason(session_.close_reason()));
        case Effect::opened:
        case Effect::send_upgrade:
            return;  // a server session never says so
    }
}

void ServerConnection::handle_packet(socketio::Packet packet) {
    NamespaceIndex index = find_namespace(packet.nsp);
    const bool known = index < namespaces_.size();
    const auto state = known ? namespaces_[index].state : NamespaceState::absent;
    switch (socketio::server_effect(state, packet.type)) {
        case NamespaceEffect::connect_requested: {
            if (!known && !(index = add_namespace(packet.nsp), index < namespaces_.size())) break;
            namespaces_[index].state = NamespaceState::connecting;
            outputs_.push_back(
                ConnectRequested{index, packet.nsp, packet.data.empty() ? "{}" : packet.data});
            return;
        }
        case NamespaceEffect::event:
            outputs_.push_back(EventReceived{index, std::move(packet)});
            return;
        case NamespaceEffect::ack:
            outputs_.push_back(AckReceived{index, std::move(packet)});
            return;
        case NamespaceEffect::left:
            end_namespace(index, DisconnectReason::client_namespace_disconnect);
            return;
        case NamespaceEffect::ignore:
            return;
        case NamespaceEffect::connected:
        case NamespaceEffect::refused:
        case NamespaceEffect::hold:
        case NamespaceEffect::violation:
            break;
    }
    finish(CloseReason::forced_close, DisconnectReason::forced_close);
}

void ServerConnection::handle_transport_closed(CloseReason reason) {
    finish(reason, disconnect_reason(reason));
}

bool ServerConnection::handle_probe_opened(Instant now) { return session_.begin_probe(now); }

void ServerConnection::handle_probe_closed() { session_.abandon_probe(); }

void ServerConnection::handle_timeout(Instant now) {
    if (is_closed()) return;
    switch (session_.handle_timeout(now)) {
        case engineio::Session::Due::nothing:
            break;
        case engineio::Session::Due::send_ping:
            transmit(Channel::current, engineio::encode_frame(engineio::PacketType::ping));
            break;
        case engineio::Session::Due::close_probe:
            outputs_.push_back(CloseChannel{Channel::probe, CloseReason::transport_close});
            break;
        case engineio::Session::Due::close_session:
            return finish(session_.close_reason(), disconnect_reason(session_.close_reason()));
    }
    const auto overdue = earliest(connect_deadline_, decoder_.next_timeout());
    if (overdue && *overdue <= now)
        finish(CloseReason::forced_close, DisconnectReason::forced_close);
}

std::optional<Instant> ServerConnection::next_timeout() const {
    if (is_closed()) return std::nullopt;
    return earliest(session_.next_timeout(), earliest(connect_deadline_, decoder_.next_timeout()));
}

// Whoever answers may not know yet that the peer is gone, so what comes too late is nothing.

void ServerConnection::accept(NamespaceIndex index, std::string_view data) {
    NamespaceSlot& slot = namespaces_[index];
    if (slot.state != NamespaceState::connecting) return;
    slot.state = NamespaceState::connected;
    connect_deadline_.reset();
    send({socketio::PacketType::connect, slot.name, std::nullopt, std::string(data), {}});
}

void ServerConnection::reject(NamespaceIndex index, std::string_view error) {
    NamespaceSlot& slot = namespaces_[index];
    if (slot.state != NamespaceState::connecting) return;
    slot.state = NamespaceState::absent;
    send({socketio::PacketType::connect_error, slot.name, std::nullopt, std::string(error), {}});
}

void ServerConnection::disconnect(NamespaceIndex index) {
    NamespaceSlot& slot = namespaces_[index];
    if (slot.state != NamespaceState::connected) return;
    send({socketio::PacketType::disconnect, slot.name, std::nullopt, {}, {}});
    end_namespace(index, DisconnectReason::server_namespace_disconnect);
    slot.state = NamespaceState::dismissed;  // what crosses our DISCONNECT is no violation
}

void ServerConnection::close(DisconnectReason reason) { finish(CloseReason::forced_close, reason); }

std::string_view ServerConnection::namespace_name(NamespaceIndex index) const {
    return namespaces_[index].name;
}

bool ServerConnection::is_connected(NamespaceIndex index) const {
    return index < namespaces_.size() && namespaces_[index].state == NamespaceState::connected;
}

std::optional<ServerOutput> ServerConnection::poll_output() { return outputs_.poll(); }

NamespaceIndex ServerConnection::find_namespace(std::string_view name) const {
    NamespaceIndex index = 0;
    while (index < namespaces_.size() && namespaces_[index].name != name) ++index;
    return index;
}

/// A slot for `name`; beyond the end if this connection may have no more. Dismissed ones go last: their
/// peer may not have heard of it yet.
NamespaceIndex ServerConnection::add_namespace(std::string_view name) {
    const auto first = [this](NamespaceState state) {
        NamespaceIndex index = 0;
        while (index < namespaces_.size() && namespaces_[index].state != state) ++index;
        return index;
    };
    NamespaceIndex index = first(NamespaceState::absent);
    if (index == limits::namespaces_per_connection) index = first(NamespaceState::dismissed);
    if (index == limits::namespaces_per_connection) return index;
    if (index == namespaces_.size()) namespaces_.emplace_back();
    namespaces_[index].name = std::string(name);
    return index;
}

void ServerConnection::end_namespace(NamespaceIndex index, DisconnectReason reason) {
    namespaces_[index].state = NamespaceState::absent;
    outputs_.push_back(Left{index, reason});
}

void ServerConnection::finish(CloseReason engine_reason, DisconnectReason reason) {
    if (finished_) return;
    finished_ = true;
    session_.close(engine_reason);
    connect_deadline_.reset();
    for (NamespaceIndex index = 0; index < namespaces_.size(); ++index) {
        const auto state = namespaces_[index].state;
        if (state == NamespaceState::connecting || state == NamespaceState::connected) {
            end_namespace(index, reason);
        }
    }
    outputs_.push_back(CloseChannel{Channel::current, engine_reason});
}

void ServerConnection::send(const socketio::Packet& packet) {
    for (auto& frame : socketio::encode(packet)) transmit(Channel::current, std::move(frame));
}

void ServerConnection::transmit(Channel channel, Frame frame) {
    if (!finished_) outputs_.push_back(Transmit{channel, std::move(frame)});
}

}  // namespace oncewire::peer
