#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/hub/room_index.hpp"
#include "server/store/mail.hpp"
#include "shared/base/frame.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/secret_pool.hpp"
#include "shared/peer/capability.hpp"
#include "shared/peer/server_connection.hpp"

/// All connections of one core. Decides; no sockets, threads or database.
namespace oncewire::hub {

/// One accepted peer of this hub: slot and generation, as SocketId.
using ConnectionId = std::uint64_t;

/// A frame encoded once and shared by every receiver of this core.
using SharedFrame = std::shared_ptr<const Frame>;

/// What the first HTTP request of a connection said.
struct Request {
    std::string address;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
};

// ---- outputs: to the host -----------------------------------------------------------------------

/// Hand all of it to the transport in one go. Afterwards, when the operating system has taken it, call
/// handle_written(); until then no further Write for this connection follows.
struct Write {
    ConnectionId connection = 0;
    std::vector<SharedFrame> frames;
};
/// Send what was written, then close. The connection's last output; its id is free.
struct CloseTransport {
    ConnectionId connection = 0;
};
struct ToStore {
    store::ToSequencer mail;
};

// ---- outputs: to the application ----------------------------------------------------------------

/// Answer with accept() or reject(), now or later.
struct ConnectAsked {
    SocketId socket = 0;
    std::string nsp;
    std::string auth;  ///< JSON object text
};
struct SocketConnected {
    SocketId socket = 0;
};
struct EventArrived {
    SocketId socket = 0;
    std::string data;  ///< JSON array text: ["event", …args]
    std::vector<std::string> attachments;
    std::optional<socketio::AckId> ack_id;  ///< answer with acknowledge(), once
};
/// The session is over; rooms are left already.
struct SocketGone {
    SocketId socket = 0;
    socketio::DisconnectReason reason = socketio::DisconnectReason::transport_close;
};

using HubOutput = std::variant<Write, CloseTransport, ToStore, ConnectAsked, SocketConnected,
                               EventArrived, SocketGone>;

struct HubCounts {
    std::uint64_t connections_opened = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t sockets_open = 0;
    std::uint64_t frames_in = 0;
    std::uint64_t frames_out = 0;       ///< deliveries: one for each receiver
    std::uint64_t ephemeral_dropped = 0;  ///< to slow readers
    std::uint64_t slow_readers_closed = 0;
    std::uint64_t violations = 0;
};

/// Promise: an entry of the log reaches every session that may read its room once and in order, over
/// the live feed, replay, or both, because one cursor per session pulls from the log (R7); memory per
/// connection is bounded; no peer can harm another's connection.
///
/// Contract of a decider (shared/README.md). Not thread-safe; one core's thread owns it.
class Hub {
  public:
    struct Options {
        std::uint16_t core = 0;
        engineio::Timings timings;
        Millis connect_timeout{45'000};
        /// Event names whose messages go to the sequencer instead of the application's hub handlers.
        std::vector<std::string> durable_events;
        /// Namespaces that exist; CONNECT to another is refused with "Invalid namespace".
        std::vector<std::string> namespaces = {"/"};
    };

    explicit Hub(Options options);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    // ---- host -----------------------------------------------------------------------------------

    /// The host keeps this filled: see SecretPool.
    SecretPool& secrets() { return secrets_; }

    /// A WebSocket was accepted.
    ConnectionId handle_accept(Request request, Instant now);
    void handle_frame(ConnectionId connection, FrameView frame, Instant now);
    void handle_written(ConnectionId connection, Instant now);
    void handle_transport_closed(ConnectionId connection, engineio::CloseReason reason, Instant now);
    void handle_mail(store::FromSequencer mail, Instant now);
    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const;
    /// Every connection ends with "server shutting down"; outputs follow.
    void shut_down(Instant now);

    std::optional<HubOutput> poll_output();

    // ---- application ----------------------------------------------------------------------------

    struct AcceptOptions {
        std::vector<std::string> rooms;  ///< joined at once
        /// Entries of these rooms beyond this offset follow CONNECT, then live ones; none: live only.
        /// A tier-2 client's own position wins.
        std::optional<delivery::Offset> replay_after;
    };
    void accept(SocketId socket, AcceptOptions options, Instant now);
    void reject(SocketId socket, std::string_view error_json, Instant now);
    void join(SocketId socket, std::string_view room);
    void leave(SocketId socket, std::string_view room);
    /// To one session, ephemeral.
    void emit(SocketId socket, std::string_view data, const std::vector<std::string>& attachments = {});
    void acknowledge(SocketId socket, socketio::AckId id, std::string_view data,
                     const std::vector<std::string>& attachments = {});
    /// To the members of `room` (empty: everybody in `nsp`) except one, ephemeral, this core only.
    void broadcast(std::string_view nsp, std::string_view room, std::string_view data,
                   const std::vector<std::string>& attachments = {},
                   std::optional<SocketId> except = std::nullopt);
    void disconnect(SocketId socket, bool close_connection, Instant now);

    const Request* request_of(SocketId socket) const;
    std::string_view sid_of(SocketId socket) const;
    const HubCounts& counts() const { return counts_; }
    const store::LogState& log_state() const { return log_state_; }

  private:
    // private layout is free to change; see hub.cpp
    struct Connection;
    struct Socket;
    struct Impl;
    SecretPool secrets_;
    HubCounts counts_;
    store::LogState log_state_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace oncewire::hub
