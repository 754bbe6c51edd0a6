#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/hub/awaited_acks.hpp"
#include "server/hub/barrier.hpp"
#include "server/hub/log_readers.hpp"
#include "server/hub/pump.hpp"
#include "server/hub/recovery_sessions.hpp"
#include "server/hub/socket_calls.hpp"
#include "server/hub/submissions.hpp"
#include "shared/peer/capability.hpp"

namespace oncewire::hub {

/// A socket from its CONNECT to its SocketGone: asked about, accepted, attached or opened, answered, ended.
///
/// Promise: SocketGone follows ConnectAsked exactly once, whatever peer, application and sequencer do.
class SocketLifecycle {
  public:
    struct Uses {
        const Options& options;
        Turn& turn;
        SecretPool& secrets;
        Connections& connections;
        Sockets& sockets;
        Audience& audience;
        HeldConnects& held;
        LogReaders& readers;
        Barrier& barrier;
        AwaitedAcks& acks;
        Submissions& submissions;
        RecoverySessions& recovery;
        Pump& pump;
    };
    explicit SocketLifecycle(const Uses& uses) : uses_(uses) {}

    /// A peer wants to join a namespace; `id` is known.
    void handle(ConnectionId id, const peer::ConnectRequested& request);

    // The application's answer, and calls; nothing for a socket that is over.

    void accept(SocketId id, SocketCalls::AcceptOptions options);
    void reject(SocketId id, std::string_view error_json);
    void disconnect(SocketId id, bool close_connection);

    // The sequencer's answer.

    void handle(const mail::Attached& attached);
    void handle(const mail::AttachRefused& refused);
    void handle(const mail::SessionOpened& opened);

    /// The application has been told of all that are new by now: their CONNECT is answered, or waits for the
    /// sequencer to have their rooms.
    void answer_new_connects();
    /// Nothing if it is answered already.
    void answer_connect(SocketId id);
    /// Closes its connection, so that its client comes back.
    void cut(SocketId id);
    /// Its namespace is left. Nothing if it is over already.
    void end(SocketId id, socketio::DisconnectReason reason);

  private:
    /// What matters only until it is connected.
    struct Arrival {
        std::optional<peer::ClientCapability> capability;
        std::optional<delivery::Offset> replay_after;
    };

    const char* why_no_connect(Connection& connection, const peer::ConnectRequested& request);
    void ask_application(ConnectionId id, const peer::ConnectRequested& request);
    void finish_accept(SocketId id, const mail::Attached* attached,
                       const mail::SessionOpened* opened);
    bool begin_reading(Socket& socket, const Arrival& arrival);
    void resume(SocketId id, Socket& socket, const mail::SessionOpened& opened);

    Uses uses_;
    std::map<SocketId, Arrival> arrivals_;
};

}  // namespace oncewire::hub
