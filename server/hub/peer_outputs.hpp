#pragma once

#include "server/hub/awaited_acks.hpp"
#include "server/hub/pump.hpp"
#include "server/hub/submissions.hpp"

namespace oncewire::hub {

class SocketLifecycle;

/// What the peers of connections say, handed to whom it concerns.
class PeerOutputs final : public Pump {
  public:
    PeerOutputs(Turn& turn, Connections& connections, Sockets& sockets, SocketLifecycle& lifecycle,
                Submissions& submissions, AwaitedAcks& acks)
        : turn_(turn),
          connections_(connections),
          sockets_(sockets),
          lifecycle_(lifecycle),
          submissions_(submissions),
          acks_(acks) {}

    /// All that this peer has to say, unless that is too much: whoever pumps goes on with its sockets, so these
    /// end later, by end_overflowed().
    void pump(ConnectionId id) override;
    void end_overflowed();

  private:
    bool perform_next(Connection& connection, ConnectionId id);
    void perform(ConnectionId id, peer::ServerOutput output);
    void handle(ConnectionId id, peer::Transmit transmit);
    void handle(ConnectionId id, peer::EventReceived event);
    void handle(ConnectionId id, peer::AckReceived ack);
    void handle(ConnectionId id, const peer::Left& left);
    void handle(ConnectionId id, const peer::CloseChannel& close);
    void take_notice(Socket& socket, const delivery::Anomalies& anomalies);
    void violate(ConnectionId id);

    Turn& turn_;
    Connections& connections_;
    Sockets& sockets_;
    SocketLifecycle& lifecycle_;
    Submissions& submissions_;
    AwaitedAcks& acks_;
};

}  // namespace oncewire::hub
