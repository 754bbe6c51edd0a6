#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/frame.hpp"
#include "shared/base/prng.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/backoff.hpp"
#include "shared/delivery/cursor.hpp"
#include "shared/delivery/outbox.hpp"
#include "shared/peer/capability.hpp"
#include "shared/peer/client_output.hpp"
#include "shared/peer/engine_client.hpp"
#include "shared/socketio/acks.hpp"
#include "shared/socketio/decoder.hpp"
#include "shared/socketio/namespace_session.hpp"
#include "shared/socketio/packet.hpp"

namespace oncewire::peer {

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
    not_an_event,  ///< data is no array beginning with a string or number, or nests too deeply
    too_large,     ///< for us, or more than the server said it takes
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
        std::optional<Millis> open_timeout{
            Millis{20'000}};  ///< for one attempt, handshake included
        EngineClient::Options engine;
        delivery::Outbox::Limits outbox;
    };

    Client(Options options, Prng prng);

    /// Before connect(). With a lane, emit_durable() works and log positions are tracked.
    NamespaceIndex open_namespace(std::string_view name, std::optional<RestoredLane> lane);

    // ---- application ----------------------------------------------------------------------------

    /// For the attempts to come, and the one that was just begun (AttemptBegun).
    void set_options(const Options& options);
    /// Opens the link even if no namespace is wanted yet, until close() or the last disconnect().
    void open(Instant now);
    /// Ends the link and its reconnection; connect() and open() begin anew.
    void close(Instant now);
    /// Ends the link as if it had failed; reconnection follows.
    void close_link(Instant now);
    /// Joins the namespace and keeps joining it after every loss, until disconnect().
    void connect(NamespaceIndex index, Instant now);
    void disconnect(NamespaceIndex index, Instant now);

    struct EmitOptions {
        bool wants_ack = false;
        std::optional<Millis> ack_timeout;
        bool is_volatile = false;  ///< dropped if it cannot go out now
    };
    /// Ephemeral: at most once. While not connected it waits in a buffer (unless volatile). Returns the
    /// ack id if one was wanted. `data`: JSON array text; placeholders refer to `attachments`. Asks the clock
    /// first whether the server has been silent for too long: what is said into a link of which a sleeping
    /// timer did not yet tell would be lost.
    Result<std::optional<socketio::AckId>, EmitError> emit(NamespaceIndex index, std::string data,
                                                           std::vector<std::string> attachments,
                                                           EmitOptions options, Instant now);
    /// Durable: exactly once with a server that can. `data`: JSON array text that nests at most
    /// message_depth.
    Result<delivery::Sequence, EmitError> emit_durable(NamespaceIndex index, std::string data,
                                                       Instant now);
    /// Takes back a durable message that is not on the wire. False: too late.
    bool cancel(NamespaceIndex index, delivery::Sequence sequence, Instant now);
    /// Answers an event that carried an ack id. Ignored if the connection it came by is gone. False: it is too
    /// large for the server, and another answer may be given.
    bool acknowledge(NamespaceIndex index, socketio::AckId id, std::string_view data,
                     std::vector<std::string> attachments);

    /// Answers a question (EventArrived::question): a durable message of its own, whose verdict nobody
    /// needs to wait for. `arguments`: JSON array text. Answered twice, the first answer counts.
    Result<delivery::Sequence, EmitError> answer(NamespaceIndex index, std::string_view question,
                                                 std::string_view arguments, Instant now);

    // ---- host -----------------------------------------------------------------------------------

    void provide_auth(NamespaceIndex index, std::string_view auth, Instant now);
    void handle_link_opened(LinkId link, Instant now);
    void handle_frame(LinkId link, FrameView frame, Instant now);
    void handle_link_closed(LinkId link, Instant now);
    /// Of a SendRequest: status 200 with the body, another, or 0 if the request came to nothing.
    void handle_response(LinkId link, bool is_post, std::uint32_t status, std::string_view body,
                         Instant now);
    /// The host knows that there is no network.
    void handle_network_lost(Instant now);
    /// A Save is durable, or storage refused it and the application was told so.
    void handle_saved(NamespaceIndex index, std::uint64_t token, Instant now);
    /// The network or the tab came back: attempt now rather than after the backoff, and notice now what
    /// a sleeping timer did not.
    void retry_now(Instant now);
    /// Notices what a timer that slept did not: false, the link that seemed open is lost.
    bool notice_silence(Instant now);
    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const;

    std::optional<ClientOutput> poll_output();

    // ---- state, for showing ---------------------------------------------------------------------

    bool is_connected(NamespaceIndex index) const;
    /// The link is open and takes a packet now; what is volatile is dropped otherwise.
    bool is_writable() const { return engine_.is_writable(); }
    /// An answer to CONNECT is awaited: events that come before it are held.
    bool is_joining() const;
    /// Events tell how far the application has heard a log or a session; without that, one that arrives
    /// changes nothing in here.
    bool is_tracking(NamespaceIndex index) const;
    /// Nobody wants it, nothing is under way, and nothing waits: a host may let go of it, and open another when
    /// somebody comes back.
    bool is_at_rest() const;
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
        delivery::Cursor asked;  // the newest question that was handed on
        LaneMode mode = LaneMode::detached;
        std::optional<Instant> resume_at;          // the server said "later"
        std::optional<socketio::AckId> stock_ack;  // the one in flight, LaneMode::stock
        delivery::Sequence stock_sequence = 0;
        std::vector<PendingSave> saves;
        std::uint64_t next_token = 1;
        bool server_links = false;  // the server says which entry came before, and wants to know
        bool server_takes_renumbered = false;
        delivery::Anomalies noticed;
        delivery::Anomalies told;      // of them, to a server
        delivery::Offset missing = 0;  // the entry by which the newest hole was noticed
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
    enum class LinkState : std::uint8_t { down, waiting, opening, open };

    static std::optional<EmitError> check_event(std::string_view data, std::uint32_t depth_max);

    // client.cpp: the link and its namespaces
    void begin_attempt(Instant now);
    void open_engine();
    void drain_engine(Instant now);
    void fail_attempt(std::string error, Instant now);
    void lose_link(socketio::DisconnectReason reason, std::string detail, Instant now);
    void refuse_packet(std::string_view why, Instant now);
    void schedule_attempt(Instant now);
    void close_if_unwanted();
    void end_link();
    void handle_opened();
    void handle_closed(Instant now);
    void handle_message(FrameView message, Instant now);
    void handle_packet(socketio::Packet packet, Instant now);
    void handle_connected(NamespaceIndex index, const socketio::Packet& packet, Instant now);
    void handle_event(NamespaceIndex index, socketio::Packet packet, Instant now);
    void handle_ack(NamespaceIndex index, socketio::Packet packet, Instant now);
    void expire_acks(NamespaceIndex index, Instant now);
    void end_namespace(NamespaceIndex index, socketio::DisconnectReason reason,
                       const std::string& detail = {});
    void ask_auth(NamespaceIndex index);
    bool send_packet(const socketio::Packet& packet);
    void send_waiting(NamespaceIndex index);
    bool any_wanted() const;

    // client_delivery.cpp: lanes
    Guarantee attach_lane(NamespaceIndex index, std::string_view connect_data, Instant now);
    void detach_lane(NamespaceIndex index);
    bool handle_delivery_event(NamespaceIndex index, std::string_view data, Instant now);
    void hand_on(NamespaceIndex index, const AskEvent& ask);
    Result<delivery::Sequence, EmitError> push(NamespaceIndex index, std::string message);
    bool take_position(NamespaceIndex index, EventArrived& event, Instant now);
    bool mend(NamespaceIndex index, const delivery::LinkedPosition& linked, Instant now);
    void tell_noticed(NamespaceIndex index);
    void settle(NamespaceIndex index, delivery::Sequence sequence, bool accepted,
                std::string_view body, std::vector<delivery::Sequence>& erase);
    void apply_renumbering(NamespaceIndex index,
                           const std::vector<delivery::Outbox::Renumbered>& changes);
    void requeue(NamespaceIndex index, const std::vector<delivery::Sequence>& sequences);
    void pump(NamespaceIndex index, Instant now);
    void refuse_too_large(NamespaceIndex index, delivery::Sequence sequence, Instant now);
    void save(NamespaceIndex index, std::vector<delivery::Sequence> erase,
              const std::vector<delivery::Sequence>& put);

    Options options_;
    delivery::Backoff backoff_;
    LinkState link_state_ = LinkState::down;
    bool keep_open_ = false;  // open() called
    EngineClient engine_;
    socketio::Decoder decoder_;
    Instant attempt_begun_{};
    std::optional<Instant> link_deadline_;  // waiting: next attempt; opening, handshaking: give up
    std::vector<Namespace> namespaces_;
    ClientOutputs outputs_;
};

}  // namespace oncewire::peer
