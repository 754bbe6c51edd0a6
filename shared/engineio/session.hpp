#pragma once

#include <cstdint>
#include <optional>

#include "shared/base/time.hpp"
#include "shared/engineio/handshake.hpp"
#include "shared/engineio/heartbeat.hpp"
#include "shared/engineio/packet.hpp"

namespace oncewire::engineio {

/// Why a session ended; reason_text() gives the words of the reference, which applications see.
enum class CloseReason : std::uint8_t {
    transport_error,
    transport_close,
    forced_close,
    ping_timeout,
    parse_error,
};
const char* reason_text(CloseReason reason);

/// Which of a session's two ways a packet came by: the one in use, or the WebSocket being probed.
enum class Channel : std::uint8_t { current, probe };
inline constexpr int channel_count = 2;

enum class SessionState : std::uint8_t {
    opening,  ///< client only: waiting for the open packet
    open,
    probing,  ///< a second transport is being tried; the first still carries everything
    probed,   ///< its ping was answered; `upgrade` makes it the current one, until then as above
    closed,
};
inline constexpr int session_state_count = 5;

/// What the owner of the session does about a packet.
enum class Effect : std::uint8_t {
    ignore,
    deliver,         ///< hand the payload to Socket.IO
    opened,          ///< client: the handshake was good; see handshake()
    answer_pong,     ///< send pong with the packet's payload back on the same channel
    switch_channel,  ///< server: the probe channel is now the current one; drop the old one
    send_upgrade,    ///< client: pause the old channel, send `upgrade` on the new, finish_upgrade()
    close_probe,     ///< close the probe channel only; the session goes on
    close_session,   ///< see close_reason()
};

/// One cell of the table: what a packet means, and where the session goes.
struct Transition {
    Effect effect = Effect::ignore;
    std::optional<SessionState> next{};                 ///< none: the state stays
    bool is_beat = false;                               ///< feeds the heartbeat
    CloseReason reason = CloseReason::transport_close;  ///< of Effect::close_session
};

/// [EIO4 Protocol] The transition table. On the probe channel a ping or pong stands for one with
/// payload "probe"; with any other payload it is treated like a foreign packet there (close_probe).
/// The client's open packet stands for one with a valid handshake.
Transition transition(Role role, SessionState state, Channel channel, PacketType type);

/// One Engine.IO session, either role: a transition table and a heartbeat.
///
/// Promise: every state meets every packet type (the table is complete and a test walks it); after
/// closed nothing is delivered. Does no I/O and owns no transport: the owner performs the Effect.
/// Server sessions begin open (the owner sends the open packet first), client sessions begin opening.
///
/// Stricter than the reference, on purpose: `close` ends a session on WebSocket too; a pong owed before
/// an upgrade is owed after it; a session that began on a WebSocket cannot be taken over by a second one;
/// a client takes nothing before the open packet and no second one. As lenient as the reference:
/// `upgrade` needs no probe before it, since the client for .NET sends none.
class Session {
  public:
    /// Server: `handshake.timings` are used as given. Client: they are replaced by the server's; a
    /// client that gets no open packet in time is the owner's business (its connect timeout).
    Session(Role role, Handshake handshake, Instant now);

    Effect handle_packet(Channel channel, const PacketView& packet, Instant now);
    /// A WebSocket with this session's sid arrived (server), or the probe socket opened (client, the
    /// owner then sends ping "probe"). False: refuse it (already probing, already on WebSocket).
    bool begin_probe(Instant now);
    /// Client: `upgrade` was sent on the probe channel, which is the current one from here on.
    /// False: the probe was given up meanwhile; stay where you are.
    bool finish_upgrade();
    /// The probe channel went away: back to open.
    void abandon_probe();
    /// The owner or the transport ends it. The first reason given stays.
    void close(CloseReason reason);

    enum class Due : std::uint8_t { nothing, send_ping, close_probe, close_session };
    /// One thing that is due; what else is, next_timeout() still names.
    Due handle_timeout(Instant now);
    /// Client: the next handle_timeout() will find the server too silent.
    bool is_peer_overdue(Instant now) const {
        return role_ == Role::client && heartbeat_ && heartbeat_->next_timeout() <= now;
    }
    /// None once closed.
    std::optional<Instant> next_timeout() const;

    SessionState state() const { return state_; }
    const Handshake& handshake() const { return handshake_; }
    CloseReason close_reason() const { return close_reason_; }
    /// True once the session runs on WebSocket, from the start or by upgrade.
    bool is_upgraded() const { return upgraded_; }
    /// The session began on a WebSocket, so a second one is refused.
    void started_on_websocket() { upgraded_ = true; }

    /// From begin_probe() to the switch; the reference's upgradeTimeout.
    static constexpr Millis upgrade_timeout{10'000};

  private:
    bool accept_handshake(std::string_view json, Instant now);
    void enter(SessionState next);

    Role role_;
    SessionState state_;
    bool upgraded_ = false;
    CloseReason close_reason_ = CloseReason::transport_close;
    Handshake handshake_;
    std::optional<Heartbeat> heartbeat_;  // client: none while opening
    std::optional<Instant> probe_deadline_;
};

}  // namespace oncewire::engineio
