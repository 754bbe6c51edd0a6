#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/hub/hub.hpp"
#include "server/hub/room_index.hpp"
#include "shared/base/output_queue.hpp"
#include "shared/delivery/cursor.hpp"
#include "shared/peer/capability.hpp"
#include "shared/peer/server_connection.hpp"
#include "shared/socketio/acks.hpp"

namespace oncewire::hub {

std::vector<SharedFrame> encode_plain(std::string_view nsp, const std::string& data,
                                      const std::vector<std::string>& attachments);

struct Parts {
    explicit Parts(Options options);
    using AcceptOptions = SocketCalls::AcceptOptions;

    // ---- host -----------------------------------------------------------------------------------

    /// The host keeps this filled: see SecretPool.
    SecretPool& secrets() { return secrets_; }

    /// A handshake was accepted, on the transport the request names.
    ConnectionId handle_accept(Request request, Instant now);
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
    /// Empty for a connection that is gone.
    std::string_view engine_sid_of(ConnectionId connection) const;
    /// Which connection a request with this sid belongs to; none if there is none (any more).
    std::optional<ConnectionId> find_by_sid(std::string_view engine_sid) const;
    engineio::SessionState state_of(ConnectionId connection) const;
    /// What waits for this peer to read; none for a connection that is gone.
    std::uint64_t queued_bytes(ConnectionId connection) const;

    // ---- application ----------------------------------------------------------------------------
    //
    // What is said to a session that is over does nothing, also while its SocketGone is still to come.

    void accept(SocketId socket, AcceptOptions options, Instant now);
    void reject(SocketId socket, std::string_view error_json, Instant now);
    void join(SocketId socket, std::string_view room);
    void leave(SocketId socket, std::string_view room);
    /// What durable handlers are told of who sends: sequencer::Message::sender.
    void introduce(SocketId socket, std::string sender);
    /// Woken follows then, unless an earlier moment was asked for since: one alarm, the earliest.
    void wake_at(Instant when) { wake_at_ = earliest(wake_at_, when); }
    /// To one session, ephemeral; recorded for it where recovery is on.
    void emit(SocketId socket, std::string_view data,
              const std::vector<std::string>& attachments = {});
    void acknowledge(SocketId socket, socketio::AckId id, std::string_view data,
                     const std::vector<std::string>& attachments = {});
    /// Ephemeral, to everybody in the target on every core; the same order for all of a namespace.
    /// Recorded where recovery is on, unless it is volatile.
    void broadcast(mail::Broadcast command);
    /// The same on this core alone (the `local` flag); never recorded.
    void broadcast_local(const mail::Broadcast& command);
    void join_rooms(mail::JoinRooms command);
    void leave_rooms(mail::LeaveRooms command);
    void disconnect_sockets(mail::DisconnectSockets command);
    /// To the applications of the other cores.
    void server_side_emit(std::string_view nsp, std::string_view data);
    /// Asks the applications of all cores, in the same order as broadcasts. `from` and `number` are
    /// filled in; the number is returned.
    std::uint64_t ask_cores(mail::CoreQuestion question);
    void answer(const mail::CoreQuestion& question, std::string_view data,
                const std::vector<std::string>& attachments, bool is_last);
    /// Whether each broadcast is reported when it is sent: BroadcastSent.
    void watch_broadcasts(bool on) { watches_broadcasts_ = on; }
    std::uint16_t core() const { return options_.core; }
    std::uint16_t core_count() const { return options_.cores; }
    /// An event that each of `to` (sessions of `nsp`) answers: AckArrived for each, then AcksFinished,
    /// once. None to ask: AcksFinished follows at once.
    socketio::AckId emit_with_ack(const std::vector<SocketId>& to, std::string_view nsp,
                                  std::string_view data,
                                  const std::vector<std::string>& attachments,
                                  std::optional<Millis> timeout);
    /// A target whose namespace is `family` means all that were added to it: what is said to it is said
    /// to each, and not recorded for recovery. `family` ends with a comma.
    void add_to_family(std::string_view family, std::string_view nsp);
    void remove_from_family(std::string_view family, std::string_view nsp);
    /// Connected sessions of this core.
    std::vector<SocketId> sockets(const mail::Target& target);
    std::vector<std::string> rooms_of(SocketId socket) const;
    /// Has the durable handler of this event run as if `socket` had sent it: SubmitSettled follows with
    /// the number, unless the socket is gone before. `data`: JSON array text, ["event", …args].
    std::uint64_t submit(SocketId socket, std::string_view data);
    void disconnect(SocketId socket, bool close_connection, Instant now);
    /// Not done: it is given out again after a while.
    void end_task(std::uint64_t id, bool is_done);
    /// One Engine.IO message.
    void send(ConnectionId connection, FrameView message);

    /// Valid until the next input; null and empty for a session that is gone.
    const Request* request_of(SocketId socket);
    std::string_view sid_of(SocketId socket);
    /// Whose lane it proved to be, while it is connected; empty for stock clients.
    ProducerId producer_of(SocketId socket);
    /// Sessions of this core that read `room` (a log_room()) and how each stands to its entry at `offset`.
    /// For operators: O(members).
    std::vector<RoomReader> readers_of(std::string_view room, delivery::Offset offset);
    const HubCounts& counts() const { return counts_; }
    const mail::LogState& log_state() const { return log_state_; }
    /// How a session gets the log (R7): one cursor, fed from the live feed while it keeps up.
    enum class Reader : std::uint8_t {
        absent,  ///< does not read the log, or not yet
        asked,   ///< a page is on its way; what is published meanwhile is in it or follows it
        paused,  ///< its send queue is full, another session of its connection is being given a page, or
                 ///< the store could not be read: the cursor waits
        live,  ///< has everything up to the head
    };
    /// Answers to the application's own submissions have ids beyond all that clients may give.
    static constexpr std::uint64_t first_submission = limits::safe_integer;
    enum class SocketState : std::uint8_t {
        asked,      ///< the application has not answered yet
        attaching,  ///< the sequencer has not answered yet
        connected,
    };
    struct Socket {
        std::uint32_t generation = 0;
        bool in_use = false;
        SocketState state = SocketState::asked;
        Reader reader = Reader::absent;
        bool is_recoverable = false;  // has a pid
        bool is_resumed = false;
        bool is_greeted = true;      // nothing of it is held in a Greeting
        bool has_new_rooms = false;  // since the log was handed to it last
        bool wants_values = false;   // answers to durable events alone, without what says no error
        peer::NamespaceIndex index = 0;
        ConnectionId connection = 0;
        delivery::Cursor sent;  // up to where the log was handed to this session
        std::string sid;
        std::optional<peer::ClientCapability> capability;
        delivery::ProducerEpoch producer_epoch = 0;
        std::optional<delivery::Offset> replay_after;
        std::string sender;
        delivery::Anomalies noticed;  // what it was believed, up to noticed_max of each
        std::vector<socketio::AckId> awaited_acks;
        std::uint64_t mark = 0;  // visited by the broadcast of this number
    };
    /// Where connections come from: what they share.
    struct Network {
        std::uint32_t connections = 0;
        std::uint64_t owed_bytes = 0;
        std::uint64_t collected_bytes = 0;
        Instant connects_paid_until;
    };
    struct Connection {
        std::uint32_t generation = 0;
        std::optional<peer::ServerConnection> peer;
        Request request;
        std::vector<SocketId> sockets;  // by peer::NamespaceIndex
        std::vector<SharedFrame> queue;
        std::uint64_t queue_bytes = 0;
        /// What was made for this peer alone, in the queue and in the Write that is out: at most so much.
        std::uint64_t owed_bytes = 0;
        /// Of a packet whose attachments have not all come, as far as it is counted.
        std::uint64_t collected_bytes = 0;
        Network* network = nullptr;
        bool writing = false;         // a Write is out; the next waits for handle_written()
        bool dirty = false;           // listed in dirty_
        bool overflowed = false;      // its queue was dropped; nothing goes out any more
        bool reads_page = false;      // one of its sessions has asked for one: the others wait
        Instant connects_paid_until;  // each CONNECT takes a while, and some go on credit
        std::vector<std::pair<SocketId, socketio::AckId>> lookups;  // the store is being read for
        std::vector<mail::Submit> waiting_lookups;
        std::optional<Instant> slow_at;
        std::optional<Instant> timer_at;  // its entry in timers_; later than the truth never
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    using Timer = std::pair<Instant, ConnectionId>;
    /// Of a session that the application was asked about, where recovery is on.
    struct Door {
        std::string pid;  // if it turns out to be new
        std::optional<mail::OpenSession::Claim> claim;
    };
    /// A new session whose CONNECT is not answered yet, though the application was told. What is said to it
    /// waits for that: an unmodified client keeps what comes before the answer, also when its link ends in
    /// between, and would show it beside what the next session is told.
    struct Greeting {
        std::string answer;
        bool has_new_rooms = false;
        std::vector<SharedFrame> held;
        std::uint64_t held_bytes = 0;
    };
    /// An entry of the log as its readers get it, encoded when the first of each kind is met.
    struct EntryFrames {
        SharedFrame plain;
        SharedFrame linked;  // tells which entry came before
    };
    /// Something to do when so many passages through the sequencer have come back.
    struct Deferred {
        std::uint64_t after = 0;
        std::function<void()> action;
        SocketId socket = 0;  // of a join or leave
        std::string room;
        bool joins = false;
    };

    // hub.cpp: connections. One that is over is not found any more; it is known until its last outputs are
    // taken from its peer.
    Connection* find_connection(ConnectionId id);
    const Connection* find_connection(ConnectionId id) const {
        return const_cast<Parts*>(this)->find_connection(id);
    }
    Connection* known_connection(ConnectionId id);
    void pump(ConnectionId id, Instant now);
    void finish(ConnectionId id);
    bool perform_next(Connection& connection, ConnectionId id);
    void perform(ConnectionId id, peer::ServerOutput output);
    void perform(ConnectionId id, peer::Transmit transmit);
    void perform(ConnectionId id, peer::CloseChannel close);
    void enqueue(Connection& connection, ConnectionId id, SharedFrame frame);
    void enqueue(const Socket& socket, Connection& connection, SharedFrame frame);
    void enqueue_or_end(Connection& connection, ConnectionId id, SharedFrame frame);
    void enqueue_or_end(const Socket& socket, Connection& connection, SharedFrame frame);
    std::uint64_t waiting_bytes(const Socket& socket, const Connection& connection) const;
    void end_overflowed(Connection& connection, ConnectionId id);
    void queue_packet(const Socket& socket, const socketio::Packet& packet);
    std::optional<Write> take_write(ConnectionId id);
    void end_connection(ConnectionId id, engineio::CloseReason reason);
    void schedule(ConnectionId id);
    void forget_old_timers();
    void enter_network(Connection& connection);
    void leave_network(Connection& connection);
    void owe(Connection& connection, std::uint64_t bytes);
    void collect(Connection& connection, std::uint64_t bytes);
    void bound_collected(Connection& connection);
    bool owes_too_much(const Connection& connection) const;
    void violate(ConnectionId id);

    // hub_sockets.cpp: namespace sessions. As with connections: not found, but known until SocketGone.
    Socket* find_socket(SocketId id);
    Socket* known_socket(SocketId id);
    SocketId new_socket(ConnectionId connection, peer::NamespaceIndex index);
    void handle_connect(ConnectionId id, const peer::ConnectRequested& request);
    const char* why_no_connect(Connection& connection, const peer::ConnectRequested& request);
    bool pay(Instant& paid_until, Millis price, std::uint32_t on_credit) const;
    void ask_application(ConnectionId id, const peer::ConnectRequested& request);
    void handle_event(ConnectionId id, peer::EventReceived event);
    void submit(SocketId id, const Socket& socket, socketio::Packet packet);
    void submit_keyed(SocketId id, const Socket& socket, const socketio::Packet& packet);
    void take_notice(Socket& socket, const delivery::Anomalies& anomalies);

    // hub_lookups.cpp: questions that are only read for
    bool is_lookup(std::string_view data) const;
    void look_up(ConnectionId id, mail::Submit submit);
    void refuse_lookup(const mail::Submit& submit, const char* code, const char* message);
    void send_lookups(ConnectionId id);
    bool end_lookup(const mail::SessionRef& to, std::optional<socketio::AckId> ack_id);
    bool drop_lookups(SocketId id, const Socket& socket);
    bool enter(SocketId id, std::string_view log_room);
    void finish_accept(SocketId id, const mail::Attached* attached,
                       const mail::SessionOpened* opened);
    void send_event(SocketId id, std::string_view data,
                    const std::vector<std::string>& attachments);
    void send_ack(SocketId id, socketio::AckId ack_id, std::string_view data,
                  const std::vector<std::string>& attachments);
    void disconnect_now(SocketId id, bool close_connection);
    void end_socket(SocketId id, socketio::DisconnectReason reason);
    void free_socket(SocketId id);
    std::string_view namespace_of(const Socket& socket);
    mail::SessionRef session_ref(SocketId id) const { return {options_.core, id}; }

    // hub_broadcast.cpp: to many
    template <class Visit>
    void for_each(const mail::Target& target, Visit visit);
    void send_to_cores(mail::CoreCommand command);
    void perform(const mail::CoreCommand& command);
    void broadcast_now(const mail::Broadcast& command);
    void apply(const mail::Broadcast& command);
    static bool is_family(const mail::Target& target);
    const std::vector<std::string>* family_of(const mail::Target& target) const;
    void apply(const mail::JoinRooms& command);
    void apply(const mail::LeaveRooms& command);
    void apply(const mail::DisconnectSockets& command);
    void apply(const mail::ServerSideEmit& command);
    void apply(const mail::CoreQuestion& question);
    void apply(const mail::CoreAnswer& answer);
    void handle_ack(ConnectionId id, peer::AckReceived ack);
    void send_frames(SocketId id, const std::vector<SharedFrame>& frames);
    bool stop_waiting(SocketId id, socketio::AckId ack_id);
    void finish_acks(socketio::AckId ack_id, AcksFinished::Why why);
    void abandon_acks(SocketId id);
    void expire_acks();

    // hub_recovery.cpp
    void note_claim(SocketId id, std::string_view auth);
    void open_session(SocketId id, Socket& socket, std::string user);
    void resume(SocketId id, Socket& socket, const mail::SessionOpened& opened);
    void greet_later(SocketId id, std::string answer);
    void answer_greetings();
    void greet(SocketId id);
    void end_session(SocketId id, const Socket& socket, socketio::DisconnectReason reason);
    void note_room(SocketId id, std::string_view room, bool joined);
    void handle(const mail::SessionOpened& opened);
    void handle(const mail::Recorded& recorded);
    void handle(const mail::Relayed& relayed);
    void record(mail::Broadcast command, bool is_direct);
    void relay(std::shared_ptr<const mail::CoreCommand> command);
    void deliver(const mail::Recorded& recorded);
    void enqueue_recorded(Socket& socket, Connection& connection, delivery::Offset offset,
                          const std::vector<SharedFrame>& frames);
    void take_page(Socket& socket, Connection& connection, const mail::Page& page);
    void send_ephemeral(const Socket& socket, Connection& connection,
                        const std::vector<SharedFrame>& frames, bool is_volatile);
    std::vector<SharedFrame> encode_with_position(std::string_view nsp, const std::string& data,
                                                  const std::vector<std::string>& attachments,
                                                  delivery::Offset offset) const;
    bool must_wait() const { return passages_back_ < passages_sent_; }
    void defer(std::function<void()> action);
    void came_back();
    void add_deferred_rooms(SocketId id, std::vector<std::string>& rooms) const;

    // hub_delivery.cpp: the log
    void handle(const mail::LogState& state);
    void handle(const mail::Attached& attached);
    void handle(const mail::AttachRefused& refused);
    void handle(const mail::Fence& fence);
    void handle(const mail::Published& published);
    void handle(const mail::Page& page);
    void handle(const mail::Settled& settled);
    void handle(const mail::Answered& answered);
    void handle(const mail::RunTask& run);
    void handle(const mail::Ask& ask);
    void handle(const mail::Expect& expect);
    void handle(const mail::Conflict& conflict);
    void handle(const mail::RetryLater& later);
    void handle(const mail::Cut& cut);
    std::string quoted_place(delivery::Offset offset,
                             std::optional<delivery::Offset> before = std::nullopt) const;
    SharedFrame encode_entry(const store::LogEntry& entry, bool is_linked) const;
    void hand_over(Socket& socket, Connection& connection, const store::LogEntry& entry,
                   EntryFrames& frames);
    void enqueue_entry(Socket& socket, Connection& connection, const store::LogEntry& entry,
                       EntryFrames& frames);
    void tell_reached(Socket& socket, delivery::Offset offset);
    void start_reading(SocketId id, Socket& socket);
    void stop_reading(Socket& socket);
    void resume_readers(const Connection& connection);
    void start_new_readers();
    bool has_room(Socket& socket, const Connection& connection, delivery::Offset offset);
    void catch_up_everybody(delivery::Offset before);

    Options options_;
    Instant now_;
    SecretPool secrets_;
    HubCounts counts_;
    mail::LogState log_state_;
    std::optional<Instant> read_again_at_;  // the store could not be read
    std::optional<Instant> wake_at_;        // asked for by the application

    std::deque<Connection> connections_;                 // by slot; addresses stay
    std::unordered_map<std::string, Network> networks_;  // addresses stay; order never shows
    std::vector<std::uint32_t> free_connections_;
    std::unordered_map<std::string, ConnectionId, TextHash, std::equal_to<>>
        by_sid_;  // never iterated
    std::deque<Socket> sockets_;
    std::vector<std::uint32_t> free_sockets_;
    RoomIndex rooms_;
    std::map<std::string, std::vector<std::string>, std::less<>> families_;
    socketio::PendingAcks acks_;
    std::map<socketio::AckId, std::vector<SocketId>> ack_waiters_;
    std::uint64_t newest_mark_ = 0;
    std::uint64_t newest_question_ = 0;
    std::uint64_t newest_submission_ = 0;
    bool watches_broadcasts_ = false;
    std::map<SocketId, Door> doors_;
    std::map<SocketId, Greeting> greetings_;
    std::vector<SocketId> new_greetings_;
    std::vector<SocketId> new_readers_;  // the application may be letting them into rooms yet
    std::uint64_t passages_sent_ = 0;    // through the sequencer, in order
    std::uint64_t passages_back_ = 0;
    std::uint64_t letter_at_hand_ = 0;  // its number, while it is obeyed; else 0
    std::deque<Deferred> deferred_;
    std::vector<ConnectionId> answered_lookups_;  // may have another one read for
    std::vector<ConnectionId> dirty_;
    std::size_t dirty_taken_ = 0;
    std::vector<ConnectionId> closing_;  // overflowed
    std::vector<Timer> timers_;          // a heap, the earliest first
    OutputQueue<HubOutput> outputs_;
};

}  // namespace oncewire::hub
