#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "server/hub/hub_output.hpp"
#include "server/hub/options.hpp"
#include "server/hub/reports.hpp"
#include "server/hub/server_calls.hpp"
#include "server/hub/socket_calls.hpp"
#include "shared/base/secret_pool.hpp"

/// All connections of one core. Decides; no sockets, threads or database.
namespace oncewire::hub {

/// Promise: an entry of the log reaches every session that may read its room once and in order, over
/// the live feed, replay, or both, because one cursor per session pulls from the log (R7); memory per
/// connection is bounded; no peer can harm another's connection.
///
/// Contract of a decider (shared/README.md). Not thread-safe; one core's thread owns it.
class Hub {
  public:
    using Options = hub::Options;

    explicit Hub(Options options);
    ~Hub();
    Hub(Hub&&) noexcept;
    Hub& operator=(Hub&&) noexcept;

    // ---- what the application says; its answers to outputs too --------------------------------------

    SocketCalls& sockets() { return sockets_; }
    ServerCalls& server() { return server_; }
    /// One Engine.IO message.
    void send(ConnectionId connection, FrameView message);

    // ---- host -----------------------------------------------------------------------------------

    /// The host keeps this filled: see SecretPool.
    SecretPool& secrets();

    /// A handshake was accepted, on the transport the request names.
    ConnectionId handle_accept(const Request& request, Instant now);
    void handle_frame(ConnectionId connection, FrameView frame, Instant now);
    void handle_written(ConnectionId connection, Instant now);
    void handle_transport_closed(ConnectionId connection, engineio::CloseReason reason,
                                 Instant now);
    /// A WebSocket asks to take over a polling connection. False: refuse it; the connection is
    /// unharmed (unknown, probing already, or on WebSocket already).
    bool handle_probe_opened(ConnectionId connection, Instant now);
    void handle_probe_frame(ConnectionId connection, FrameView frame, Instant now);
    void handle_probe_closed(ConnectionId connection, Instant now);
    void handle_mail(mail::FromSequencer mail, Instant now);
    void handle_core_mail(mail::CoreMail mail, Instant now);
    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const;
    /// Every connection ends with "server shutting down"; outputs follow.
    void shut_down(Instant now);

    std::optional<HubOutput> poll_output();

    /// The core whose hub made this sid, whether or not its session still lives; none for a string that
    /// no hub made.
    static std::optional<std::uint16_t> owner_of(std::string_view engine_sid);
    /// Which connection a request with this sid belongs to; none if there is none (any more).
    std::optional<ConnectionId> find_by_sid(std::string_view engine_sid) const;
    ConnectionStatus status_of(ConnectionId connection) const;

    /// Sessions of this core that read `room` (a log_room()) and how each stands to its entry at `offset`.
    /// For operators: O(members).
    std::vector<RoomReader> readers_of(std::string_view room, delivery::Offset offset) const;
    const HubCounts& counts() const;

  private:
    std::unique_ptr<Parts> parts_;
    SocketCalls sockets_;
    ServerCalls server_;
};

}  // namespace oncewire::hub
