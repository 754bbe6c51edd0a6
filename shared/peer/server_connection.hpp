#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/base/frame.hpp"
#include "shared/base/output_queue.hpp"
#include "shared/base/time.hpp"
#include "shared/engineio/session.hpp"
#include "shared/socketio/decoder.hpp"
#include "shared/socketio/disconnect_reason.hpp"
#include "shared/socketio/namespace_session.hpp"
#include "shared/socketio/packet.hpp"

/// The two deciders that speak the whole protocol, one for each role. Contract: shared/README.md.
namespace oncewire::peer {

/// Which namespace of one connection; valid from ConnectRequested to Left.
using NamespaceIndex = std::uint32_t;

struct Transmit {
    engineio::Channel channel = engineio::Channel::current;
    Frame frame;
};
/// The peer wants to join `nsp`; answer with accept() or reject().
struct ConnectRequested {
    NamespaceIndex index = 0;
    std::string nsp;
    std::string auth;  ///< JSON object text; "{}" if the peer sent none
};
struct EventReceived {
    NamespaceIndex index = 0;
    socketio::Packet packet;
};
/// An Engine.IO message, for a connection that speaks no Socket.IO.
struct MessageReceived {
    Frame message;
};
struct AckReceived {
    NamespaceIndex index = 0;
    socketio::Packet packet;
};
/// The namespace session is over; its index may be given out again.
struct Left {
    NamespaceIndex index = 0;
    socketio::DisconnectReason reason = socketio::DisconnectReason::transport_close;
};
/// The probe channel is now the current one; what is still queued goes there.
struct ChannelSwitched {};
/// Let what is queued for this channel go out, then close it. For Channel::current this is the end of
/// the connection and its last output.
struct CloseChannel {
    engineio::Channel channel = engineio::Channel::current;
    engineio::CloseReason reason = engineio::CloseReason::forced_close;
};

using ServerOutput = std::variant<Transmit, ConnectRequested, EventReceived, AckReceived,
                                  MessageReceived, Left, ChannelSwitched, CloseChannel>;

/// Everything about one accepted peer: Engine.IO session, packet reassembly, its namespaces.
///
/// Promise: any bytes at all lead to packets or to the end of this connection, never further; every
/// namespace that was requested is reported Left exactly once (unless it was rejected). Does not know
/// who else is connected, nor what events mean.
class ServerConnection {
  public:
    struct Options {
        engineio::Handshake handshake;
        engineio::TransportKind transport = engineio::TransportKind::websocket;
        /// Engine.IO alone: messages are the application's, and nobody has to join a namespace.
        bool speaks_socketio = true;
        Millis connect_timeout{};  ///< without any namespace for this long: close
    };

    ServerConnection(Options options, Instant now);

    void handle_frame(engineio::Channel channel, FrameView frame, Instant now);
    /// The transport is gone or broke the rules of its own layer.
    void handle_transport_closed(engineio::CloseReason reason);
    /// A WebSocket with our sid asks to take over. False: refuse it; the session is unaffected.
    bool handle_probe_opened(Instant now);
    void handle_probe_closed();
    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const;

    // The next three do nothing for a namespace that is over, or not there yet; nor does any call once
    // is_closed().

    /// Answers ConnectRequested. `data`: JSON object text with the sid.
    void accept(NamespaceIndex index, std::string_view data);
    /// `error`: JSON object text with `message` and perhaps `data`.
    void reject(NamespaceIndex index, std::string_view error);
    /// Our side ends one namespace; the connection stays.
    void disconnect(NamespaceIndex index);
    /// Our side ends the connection; each namespace is reported Left with `reason`.
    void close(socketio::DisconnectReason reason);

    std::string_view namespace_name(NamespaceIndex index) const;
    bool is_connected(NamespaceIndex index) const;
    bool is_closed() const { return finished_; }
    const engineio::Session& session() const { return session_; }
    /// What is kept of a packet whose attachments have not all come.
    std::uint64_t collected_bytes() const { return decoder_.collected_bytes(); }

    std::optional<ServerOutput> poll_output();

  private:
    struct NamespaceSlot {
        std::string name;
        socketio::NamespaceState state = socketio::NamespaceState::absent;
    };

    void handle_packet(socketio::Packet packet);
    NamespaceIndex find_namespace(std::string_view name) const;  // beyond the end: not there
    NamespaceIndex add_namespace(std::string_view name);
    void end_namespace(NamespaceIndex index, socketio::DisconnectReason reason);
    void finish(engineio::CloseReason engine_reason, socketio::DisconnectReason reason);
    void send(const socketio::Packet& packet);
    void transmit(engineio::Channel channel, Frame frame);

    engineio::Session session_;
    socketio::Decoder decoder_;
    std::vector<NamespaceSlot> namespaces_;
    std::optional<Instant> connect_deadline_;
    bool speaks_socketio_ = true;
    bool finished_ = false;  // the last output is queued
    OutputQueue<ServerOutput, 0> outputs_;
};

}  // namespace oncewire::peer
