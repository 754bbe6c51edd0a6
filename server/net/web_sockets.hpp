#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "server/net/gate/seat.hpp"
#include "server/net/gate/unfinished_bytes.hpp"
#include "server/net/gate/websocket_frames.hpp"
#include "server/net/loop.hpp"
#include "server/net/send_buffer.hpp"
#include "server/net/zip/message_deflate.hpp"
#include "server/options/server_options.hpp"
#include "shared/base/frame.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/time.hpp"
#include "shared/engineio/session.hpp"

namespace oncewire::net {

/// The owner's number for a connection. Its low half is a small number, used as an index; the whole is
/// never used for two connections.
using TransportId = std::uint64_t;

/// One thing that happened on a WebSocket. Views are valid until the next poll_input().
struct TransportInput {
    enum class Kind : std::uint8_t {
        frame,
        written,  ///< the operating system has all of the last write()
        closed,   ///< gone, with `reason`; the id means nothing any more
    };
    Kind kind = Kind::frame;
    TransportId id = 0;
    FrameView frame = {};
    engineio::CloseReason reason = engineio::CloseReason::transport_close;
};

/// All WebSockets of one core after their handshake: bytes in, frames out; frames in, bytes out.
///
/// Promise: an idle connection owns its descriptor and some 200 bytes; everything is read through one
/// buffer shared by all; frames for many connections are framed once; no descriptor outlives the end of
/// its connection by more than `close_timeout`; nothing blocks, and no connection starves another.
///
/// One thread. After each turn of the loop in which something came, see has_news(): collect(), poll_input()
/// until none, write() and close() as the owner likes, end_turn().
class WebSockets : private Watcher {
  public:
    struct Options {
        ServerOptions server = {};
        /// 2 s: for a peer to take our last bytes and to close its side. Also how long a silent client
        /// can hold up a server that stops.
        Millis close_timeout{2'000};
        /// What messages that have not come to their end may hold; none: one each.
        std::shared_ptr<UnfinishedBytes> unfinished = {};
    };

    /// `loop` outlives this.
    WebSockets(Loop& loop, Options options);
    ~WebSockets() override;
    WebSockets(const WebSockets&) = delete;
    WebSockets& operator=(const WebSockets&) = delete;

    /// collect() would find something.
    bool has_news() const { return !arrived_.empty() || !noticed_.empty(); }
    /// Whatever comes from now on waits in its socket, until it is resumed.
    void pause() { paused_ = true; }
    void resume();

    /// A connection that has shaken hands.
    struct Newcomer {
        int socket = -1;  ///< connected and non-blocking; closed by us; may be watched already
        std::string_view answer = {};  ///< goes out before the first frame
        std::string unread = {};       ///< what came in behind the handshake
        bool deflate = false;          ///< [RFC7692] was agreed on
        Seat seat = nullptr;           ///< kept until the socket is closed
        std::string network = {};      ///< whose unfinished bytes are counted together
    };
    void open(TransportId id, Newcomer newcomer);

    /// Takes up what the loop has told since the last time: the beginning of a turn.
    void collect();
    /// The same in the middle of one. False: enough was read in it.
    bool collect_more();
    /// Reads at most one buffer from each connection that was found ready, and less from each of many.
    std::optional<TransportInput> poll_input();

    /// Sends the frames in one go. True: the operating system has all of it. False: `written` or
    /// `closed` follows, and until then no further write() for this connection may. Unknown ids are
    /// ignored.
    bool write(TransportId id, std::vector<SharedFrame> frames);
    /// Lets what was written go out, says goodbye, and closes. The id is free at once.
    void close(TransportId id);
    /// Sends what has come together besides write(): handshake answers, pongs, goodbyes.
    void end_turn(Instant now);

    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const;
    /// Descriptors still open, those saying goodbye included.
    std::size_t size() const { return size_; }

  private:
    enum class State : std::uint8_t {
        open,
        leaving,  // the owner no longer knows it; what waits still goes out
        shut,     // all is out and our side is shut; waiting for the peer's end
    };
    struct Connection {
        TransportId id = 0;
        int socket = -1;
        State state = State::open;
        bool awaits_written = false;
        bool watches_writable = false;
        bool in_dirty = false;
        bool deflate = false;
        WebSocketParser parser;
        std::unique_ptr<SendBuffer> unsent;  // while there is something
        Seat seat;
        std::string network;
        std::unique_ptr<UnfinishedBytes::Share> share;  // while a large message is unfinished

        SendBuffer& to_send();
    };
    /// A connection by its descriptor, and its id in case the descriptor was used anew.
    struct Named {
        int socket = -1;
        TransportId id = 0;
    };
    struct Unread {
        Named from;
        std::string bytes;
    };
    struct Ready {
        int socket = -1;
        std::uint32_t events = 0;
    };

    void handle_ready(int descriptor, std::uint32_t events) override;
    bool takes_note() const override { return true; }
    Connection* find(TransportId id);
    Connection* find(Named named);
    bool read_next();
    void take_ready(Ready ready);
    void receive(Connection& connection);
    std::optional<TransportInput> take(Connection& connection, const WebSocketInput& input);
    bool may_keep(Connection& connection);
    std::optional<TransportInput> take_message(Connection& connection, const WebSocketInput& input);
    void end(Connection& connection, engineio::CloseReason reason);
    void violate(Connection& connection, CloseCode code);
    void say_goodbye(Connection& connection, std::uint16_t code);
    SendBuffer::Outcome send(Connection& connection, std::vector<SharedFrame> frames);
    void flush(Connection& connection);
    void after_send(Connection& connection, SendBuffer::Outcome outcome);
    void watch_writable(Connection& connection, bool watch);
    bool watch(Connection& connection);
    void mark_dirty(Connection& connection);
    void drop(Connection& connection);

    Options options_;
    Loop& loop_;
    std::size_t size_ = 0;
    std::vector<std::unique_ptr<Connection>> by_socket_;
    std::vector<int> socket_of_slot_;  // by the low half of the id; -1: none

    // Reading: who is ready, and whose bytes are being parsed.
    bool paused_ = false;
    std::vector<Named> held_;  // had something to say while paused; not watched
    std::vector<Ready> arrived_;
    std::vector<Ready> ready_;
    std::size_t ready_taken_ = 0;
    std::size_t turn_left_ = 0;  // bytes
    std::deque<Unread> unread_;
    std::deque<TransportInput> noticed_;  // while writing or flushing
    std::vector<char> buffer_;
    Named reading_;
    std::span<char> unparsed_;

    MessageInflater inflater_;
    FramedBatch batch_;
    FramedBatch deflated_batch_;  // of the same messages
    std::vector<Named> dirty_;    // have something to send at the end of the turn
    std::deque<std::pair<Instant, Named>> goodbyes_;  // in the order of their deadlines
};

}  // namespace oncewire::net
