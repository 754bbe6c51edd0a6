#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/base/frame.hpp"
#include "shared/base/output_queue.hpp"
#include "shared/base/prng.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/backoff.hpp"
#include "shared/delivery/cursor.hpp"
#include "shared/delivery/outbox.hpp"
#include "shared/engineio/session.hpp"
#include "shared/peer/capability.hpp"
#include "shared/socketio/acks.hpp"
#include "shared/socketio/decoder.hpp"
#include "shared/socketio/disconnect_reason.hpp"
#include "shared/socketio/namespace_session.hpp"
#include "shared/socketio/packet.hpp"

namespace oncewire::peer {

/// One attempt at a transport, numbered from 1. Frames and closings of older links are ignored (R10).
using LinkId = std::uint32_t;
/// One namespace of this client, in order of open_namespace().
using NamespaceIndex = std::uint32_t;

/// Which promise is in force for what this namespace sends durably.
enum class Guarantee : std::uint8_t { at_most_once, at_least_once, exactly_once };

// ---- outputs: to the host -----------------------------------------------------------------------

/// Open a WebSocket to the server; report handle_link_opened() or handle_link_closed().
struct OpenLink {
    LinkId link = 0;
};
struct SendFrame {
    LinkId link = 0;
    Frame frame;
};
/// Close it; nothing more is wanted from it.
struct CloseLink {
    LinkId link = 0;
};
/// A CONNECT is due: call provide_auth(), now or later.
struct AskAuth {
    NamespaceIndex index = 0;
};
/// Store in one strictly durable transaction, then call handle_saved(token): erase first, then put.
///
/// If storage refuses, tell the application and report it all the same, so that the message travels
/// unsaved; keep the change for the next transaction. Except where it replaces entries that storage
/// holds (renumbered, taken back): try until it lands, or a reload would send them again as they were.
struct Save {
    NamespaceIndex index = 0;
    std::uint64_t token = 0;
    std::vector<delivery::Sequence> erase;
    std::vector<delivery::OutboxEntry> put;
    delivery::Sequence next_sequence = 1;
};

// ---- outputs: to the application ----------------------------------------------------------------

struct Connected {
    NamespaceIndex index = 0;
    std::string sid;
    std::string pid;         ///< empty if the server gave none
    bool recovered = false;  ///< the session goes on: nothing was missed
    Guarantee guarantee = Guarantee::at_most_once;
};
/// Refused by the server (`refused`), or the link could not be opened.
struct ConnectFailed {
    NamespaceIndex index = 0;
    bool refused = false;
    std::string error;  ///< JSON object text with `message` and perhaps `data`
};
struct Disconnected {
    NamespaceIndex index = 0;
    socketio::DisconnectReason reason = socketio::DisconnectReason::transport_close;
};
/// The link is down; the next attempt follows by itself after `delay`.
struct Reconnecting {
    std::uint32_t attempt = 0;
    Millis delay{0};
};
/// An event, in order. With a position it came from the log and is handed on exactly once: the cursor
/// has moved already (R6), and the position is not among the arguments.
struct EventArrived {
    NamespaceIndex index = 0;
    std::string data;  ///< JSON array text: ["event", …args]
    std::vector<std::string> attachments;
    std::optional<socketio::AckId> ack_id;  ///< answer with acknowledge()
    std::optional<delivery::Position> position;
};
/// The answer to an emit that asked for one.
struct AckArrived {
    NamespaceIndex index = 0;
    socketio::AckId id = 0;
    std::string data;  ///< JSON array text
    std::vector<std::string> attachments;
};
/// There will be no answer.
struct AckLost {
    enum class Why : std::uint8_t { timed_out, disconnected };
    NamespaceIndex index = 0;
    socketio::AckId id = 0;
    Why why = Why::timed_out;
};
enum class MessageState : std::uint8_t { saving, queued, sent };
/// A durable message moved on; the end of its way is MessageSettled.
struct MessageMoved {
    NamespaceIndex index = 0;
    delivery::Sequence sequence = 0;
    MessageState state = MessageState::saving;
};
/// The final word on a durable message: it left the outbox.
struct MessageSettled {
    NamespaceIndex index = 0;
    delivery::Sequence sequence = 0;
    bool accepted = false;
    std::string body;  ///< JSON text: the handler's answer, or the rejection
};
/// Browser storage was rolled back; the entry goes on under another number.
struct MessageRenumbered {
    NamespaceIndex index = 0;
    delivery::Sequence before = 0;
    delivery::Sequence after = 0;
};
/// The log was replaced: what was shown belongs to another history; everything arrives anew.
struct StreamChanged {
    NamespaceIndex index = 0;
    delivery::Position from;
    delivery::Position to;
};
/// The server takes no messages for now; they stay queued.
struct ServerBusy {
    NamespaceIndex index = 0;
    Millis after{0};
};

using ClientOutput =
    std::variant<OpenLink, SendFrame, CloseLink, AskAuth, Save, Connected, ConnectFailed,
                 Disconnected, Reconnecting, EventArrived, AckArrived, AckLost, MessageMoved,
                 MessageSettled, MessageRenumbered, StreamChanged, ServerBusy>;

/// What the host found in storage for one lane.
struct RestoredLane {
    delivery::ProducerIdentity producer;  ///< made by the host at first use, from its entropy
    delivery::Sequence next_sequence = 1;
    std::vector<delivery::OutboxEntry> entries;  ///< in sequence order
    std::optional<delivery::Position> position;  ///< the reader's durable cursor
    std::uint64_t salt = 0;                      ///< fresh entropy at each start
};

enum class EmitError : std::uint8_t {
    reserved_name,
    not_an_event,  ///< data is no array beginning with a string or number
    too_large,
    outbox_full,
    no_lane,  ///< emit_durable() on a namespace opened without one
};

/// The browser's side of everything: link, reconnection, namespaces, outbox, cursor.
///
/// Promise: what emit_durable() took is offered to the server until it has a verdict, in order, over
/// any number of links and restarts; events of the log are handed on exactly once and in order.
/// Deterministic; does no I/O. One thread. The same class runs in the browser, natively and simulated.
class Client {
  public:
    struct Options {
        bool reconnection = true;
        std::uint32_t reconnection_attempts = 0;  ///< 0: for ever
        delivery::Backoff::Policy backoff;
        Millis open_timeout{20'000};  ///< for one attempt, handshake included
        delivery::Outbox::Limits outbox;
    };

    Client(Options options, Prng prng);

    /// Before connect(). With a lane, emit_durable() works and log positions are tracked.
    NamespaceIndex open_namespace(std::string_view name, std::optional<RestoredLane> lane);

    // ---- application ----------------------------------------------------------------------------

    /// Joins the namespace and keeps joining it after every loss, until disconnect().
    void connect(NamespaceIndex index, Instant now);
    void disconnect(NamespaceIndex index, Instant now);

    struct EmitOptions {
        bool wants_ack = false;
        std::optional<Millis> ack_timeout;
        bool is_volatile = false;  ///< dropped if it cannot go out now
    };
    /// Ephemeral: at most once. While not connected it waits in a buffer (unless volatile). Returns the
    /// ack id if one was wanted. `data`: JSON array text; placeholders refer to `attachments`.
    Result<std::optional<socketio::AckId>, EmitError> emit(NamespaceIndex index, std::string data,
                                                           std::vector<std::string> attachments,
                                                           EmitOptions options, Instant now);
    /// Durable: exactly once with a server that can. `data`: JSON array text.
    Result<delivery::Sequence, EmitError> emit_durable(NamespaceIndex index, std::string data,
                                                       Instant now);
    /// Takes back a durable message that is not on the wire. False: too late.
    bool cancel(NamespaceIndex index, delivery::Sequence sequence, Instant now);
    /// Answers an event that carried an ack id. Ignored if the connection it came by is gone.
    void acknowledge(NamespaceIndex index, socketio::AckId id, std::string_view data,
                     std::vector<std::string> attachments);

    // ---- host -----------------------------------------------------------------------------------

    void provide_auth(NamespaceIndex index, std::string_view auth, Instant now);
    void handle_link_opened(LinkId link, Instant now);
    void handle_frame(LinkId link, FrameView frame, Instant now);
    void handle_link_closed(LinkId link, Instant now);
    /// A Save is durable, or storage refused it and the application was told so.
    void handle_saved(NamespaceIndex index, std::uint64_t token, Instant now);
    /// The network or the tab came back: attempt now rather than after the backoff.
    void retry_now(Instant now);
    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const;

    std::optional<ClientOutput> poll_output();

    // ---- state, for showing ---------------------------------------------------------------------

    bool is_connected(NamespaceIndex index) const;
    const delivery::Outbox* outbox(NamespaceIndex index) const;
    /// How far the log was handed on; none without a lane or before the first connection.
    std::optional<delivery::Position> position(NamespaceIndex index) const;

  private:
    /// How durable messages travel with the server at the other end.
    enum class LaneMode : std::uint8_t {
        detached,  ///< not connected: nothing is sent
        stock,     ///< ordinary events, one in flight, an ack is the verdict: at least once
        attached,  ///< tier 2
    };
    struct PendingSave {
        std::uint64_t token = 0;
        std::vector<delivery::Sequence> sequences;
    };
    struct Lane {
        delivery::ProducerIdentity producer;
        delivery::Outbox outbox;
        delivery::Cursor cursor;
        LaneMode mode = LaneMode::detached;
        std::optional<Instant> resume_at;          // the server said "later"
        std::optional<socketio::AckId> stock_ack;  // the one in flight, LaneMode::stock
        delivery::Sequence stock_sequence = 0;
        std::vector<PendingSave> saves;
        std::uint64_t next_token = 1;
    };
    struct Namespace {
        std::string name;
        bool wanted = false;      // connect() called, disconnect() not
        bool auth_asked = false;  // an answer to AskAuth is awaited
        socketio::NamespaceState state = socketio::NamespaceState::absent;
        std::string pid;          // stock recovery
        std::string last_offset;  // stock recovery: trailing string of the newest event
        std::optional<Lane> lane;
        socketio::PendingAcks acks;
        std::vector<socketio::Packet> send_buffer;  // ephemeral emits before CONNECT's answer
        std::vector<socketio::Packet> held;         // events before CONNECT's answer
        std::uint64_t held_bytes = 0;
    };
    enum class LinkState : std::uint8_t { down, waiting, opening, handshaking, open };

    static std::optional<EmitError> check_event(std::string_view data);

    // client.cpp: the link and its namespaces
    void begin_attempt(Instant now);
    void fail_attempt(std::string_view message, Instant now);
    void lose_link(socketio::DisconnectReason reason, Instant now);
    void schedule_attempt(Instant now);
    void close_if_unwanted();
    void handle_handshake(Instant now);
    void handle_packet(socketio::Packet packet, Instant now);
    void handle_connected(NamespaceIndex index, const socketio::Packet& packet, Instant now);
    void handle_event(NamespaceIndex index, socketio::Packet packet, Instant now);
    void handle_ack(NamespaceIndex index, socketio::Packet packet, Instant now);
    void expire_acks(NamespaceIndex index, Instant now);
    void end_namespace(NamespaceIndex index, socketio::DisconnectReason reason);
    void ask_auth(NamespaceIndex index);
    void send_packet(const socketio::Packet& packet);
    bool any_wanted() const;

    // client_delivery.cpp: lanes
    Guarantee attach_lane(NamespaceIndex index, std::string_view connect_data, Instant now);
    void detach_lane(NamespaceIndex index);
    bool handle_delivery_event(NamespaceIndex index, std::string_view data, Instant now);
    bool take_position(NamespaceIndex index, EventArrived& event);
    void settle(NamespaceIndex index, delivery::Sequence sequence, bool accepted,
                std::string_view body, std::vector<delivery::Sequence>& erase);
    void apply_renumbering(NamespaceIndex index,
                           const std::vector<delivery::Outbox::Renumbered>& changes);
    void requeue(NamespaceIndex index, const std::vector<delivery::Sequence>& sequences);
    void pump(NamespaceIndex index, Instant now);
    void save(NamespaceIndex index, std::vector<delivery::Sequence> erase,
              const std::vector<delivery::Sequence>& put);

    Options options_;
    delivery::Backoff backoff_;
    LinkState link_state_ = LinkState::down;
    LinkId link_ = 0;
    std::optional<engineio::Session> session_;
    socketio::Decoder decoder_;
    std::optional<Instant> link_deadline_;  // waiting: next attempt; opening, handshaking: give up
    std::vector<Namespace> namespaces_;
    OutputQueue<ClientOutput> outputs_;
};

}  // namespace oncewire::peer
