#include "server/hub/peer_outputs.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "server/hub/socket_lifecycle.hpp"
#include "shared/base/json.hpp"
#include "shared/base/overloaded.hpp"
#include "shared/peer/capability.hpp"

namespace oncewire::hub {
namespace {

/// 100: holes, and so on, that one socket is believed to have noticed.
constexpr std::uint32_t noticed_max = 100;

}  // namespace

void PeerOutputs::pump(ConnectionId id) {
    Connection* connection = connections_.known(id);
    while (connection && !connection->overflowed && perform_next(*connection, id))
        connection = connections_.known(id);
    connections_.set_timer(id);
}

void PeerOutputs::end_overflowed() {
    while (const auto id = connections_.take_overflowed()) {
        Connection* connection = connections_.known(*id);
        while (connection && perform_next(*connection, *id)) connection = connections_.known(*id);
    }
}

/// False: there is nothing.
bool PeerOutputs::perform_next(Connection& connection, ConnectionId id) {
    auto output = connection.peer->poll_output();
    if (output) perform(id, std::move(*output));
    return output.has_value();
}

void PeerOutputs::perform(ConnectionId id, peer::ServerOutput output) {
    std::visit(Overloaded{
                   [&](peer::Transmit& transmit) { handle(id, std::move(transmit)); },
                   [&](peer::ConnectRequested& request) { lifecycle_.handle(id, request); },
                   [&](peer::EventReceived& event) { handle(id, std::move(event)); },
                   [&](peer::AckReceived& ack) { handle(id, std::move(ack)); },
                   [&](peer::MessageReceived& received) {
                       turn_.outputs.push_back(MessageArrived{id, std::move(received.message)});
                   },
                   [&](peer::Left& left) { handle(id, left); },
                   [&](peer::ChannelSwitched&) { turn_.outputs.push_back(SwitchTransport{id}); },
                   [&](peer::CloseChannel& close) { handle(id, close); },
               },
               output);
}

void PeerOutputs::handle(ConnectionId id, peer::Transmit transmit) {
    if (transmit.channel == engineio::Channel::probe) {
        turn_.outputs.push_back(WriteProbe{id, std::move(transmit.frame)});
        return;
    }
    // Known: its peer is being asked for outputs, and that it is closed is the last of them.
    connections_.enqueue_or_end(*connections_.known(id), id,
                                std::make_shared<const Frame>(std::move(transmit.frame)));
}

void PeerOutputs::handle(ConnectionId id, peer::EventReceived event) {
    const SocketId socket_id = connections_.known(id)->sockets[event.index];
    Socket* socket = sockets_.find(socket_id);
    if (!socket) return;
    const auto elements = json::elements(event.packet.data);
    const auto name = json::as_string(elements[0]);
    if (name && socket->lane && peer::is_delivery_event(*name)) {
        if (const auto noticed = peer::decode_noticed(event.packet.data))
            return take_notice(*socket, noticed->anomalies);
        if (!submissions_.submit_keyed(socket_id, *socket, event.packet)) violate(id);
        return;
    }
    if (name && submissions_.takes(*name))
        return submissions_.submit(socket_id, *socket, std::move(event.packet));
    turn_.outputs.push_back(EventArrived{socket_id, std::move(event.packet.data),
                                         std::move(event.packet.attachments), event.packet.ack_id});
}

void PeerOutputs::handle(ConnectionId id, peer::AckReceived ack) {
    const SocketId socket = connections_.known(id)->sockets[ack.index];
    const auto ack_id = *ack.packet.ack_id;
    if (!acks_.take(ack_id, socket)) return;
    turn_.outputs.push_back(
        AckArrived{socket, ack_id, std::move(ack.packet.data), std::move(ack.packet.attachments)});
    if (acks_.end_if_complete(ack_id))
        turn_.outputs.push_back(AcksFinished{ack_id, AcksFinished::Why::complete});
}

void PeerOutputs::handle(ConnectionId id, const peer::Left& left) {
    lifecycle_.end(connections_.known(id)->sockets[left.index], left.reason);
}

void PeerOutputs::handle(ConnectionId id, const peer::CloseChannel& close) {
    if (close.channel == engineio::Channel::current) return connections_.end(id, close.reason);
    turn_.outputs.push_back(CloseProbe{id});
}

/// A client's word, so no more than a number for people to look at; of one socket no large one, because
/// it should be 0, and whoever makes it up should not be able to hide what others see.
void PeerOutputs::take_notice(Socket& socket, const delivery::Anomalies& anomalies) {
    const auto take = [&](std::uint32_t delivery::Anomalies::*kind) {
        const auto believed = std::min(anomalies.*kind, noticed_max - socket.noticed.*kind);
        socket.noticed.*kind += believed;
        turn_.counts.noticed.*kind += believed;
    };
    take(&delivery::Anomalies::holes);
    take(&delivery::Anomalies::repeated);
    take(&delivery::Anomalies::late);
}

/// The peer broke a rule that only this layer knows.
void PeerOutputs::violate(ConnectionId id) {
    ++turn_.counts.violations;
    if (Connection* connection = connections_.find(id))
        connection->peer->close(socketio::DisconnectReason::forced_close);
}

}  // namespace oncewire::hub
