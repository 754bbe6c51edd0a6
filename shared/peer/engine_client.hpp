#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/frame.hpp"
#include "shared/base/time.hpp"
#include "shared/engineio/session.hpp"
#include "shared/peer/client_output.hpp"

namespace oncewire::peer {

/// [EIO4 Transports] The client's side of one Engine.IO session at a time: over a WebSocket, over
/// HTTP long-polling, or over the one and then, without a gap, over the other.
///
/// Feed it one input, then drain next_event(); what it wants done goes into the queue that every call
/// is given. Promise: messages come and go in order, also across an upgrade; at most one GET and one
/// POST are under way; after `closed` nothing comes until open().
class EngineClient {
  public:
    struct Options {
        /// In order of preference; not empty when it is opened.
        std::vector<engineio::TransportKind> transports{engineio::TransportKind::websocket};
        bool upgrade = true;              ///< go from polling to a WebSocket when both can
        bool remember_upgrade = false;    ///< begin with a WebSocket once one has worked
        bool try_all_transports = false;  ///< one that does not open: try the next
    };
    struct Event {
        enum class Kind : std::uint8_t { opened, message, upgraded, pinged, closed };
        Kind kind = Kind::closed;
        FrameView message;  ///< without its type; valid until the next call
    };
    struct Error {
        std::string message;
        std::optional<std::uint32_t> status;  ///< of HTTP; 0: there was no answer
    };

    explicit EngineClient(Options options) : options_(std::move(options)) {}

    /// Only while it is closed.
    void set_options(Options options) { options_ = std::move(options); }

    /// Begins a session; the one before must be closed.
    void open(Instant now, ClientOutputs& out);
    void send(Frame frame, ClientOutputs& out);
    /// False: it is more than the server said it takes in one piece, and would end the session.
    bool may_send(const Frame& frame) const;
    /// The server has been silent for too long, whether or not handle_timeout() came to say so.
    bool is_overdue(Instant now) const;
    /// We want no more; what waits still goes out, then the server is told. No event follows.
    void close(ClientOutputs& out);

    void handle_link_opened(LinkId link, ClientOutputs& out);
    void handle_frame(LinkId link, FrameView frame, ClientOutputs& out);
    void handle_link_closed(LinkId link, ClientOutputs& out);
    /// `status`: 200 with the body, another, or 0 if the request came to nothing.
    void handle_response(LinkId link, bool is_post, std::uint32_t status, std::string_view body,
                         ClientOutputs& out);
    void handle_timeout(Instant now, ClientOutputs& out);
    std::optional<Instant> next_timeout() const;

    /// Sends by POST what waits. To be called when the application's and the network's input is done
    /// with, so that what it caused travels in one body.
    void flush(ClientOutputs& out);

    /// Drain this after every input, within the call that brought it.
    std::optional<Event> next_event(Instant now, ClientOutputs& out);

    bool is_open() const { return state_ == State::open; }
    bool is_closed() const { return state_ == State::closed; }
    /// It is closed, and its last words have left.
    bool is_at_rest() const { return is_closed() && !farewell_; }
    /// A frame given to send() now would leave now.
    bool is_writable() const;
    engineio::TransportKind transport() const { return transport_; }
    const engineio::Handshake& handshake() const { return session_->handshake(); }
    /// Of the session that ended last.
    engineio::CloseReason close_reason() const { return close_reason_; }
    const std::optional<Error>& error() const { return error_; }
    /// Words for a transport that just closed.
    const std::string& close_description() const { return close_description_; }

  private:
    enum class State : std::uint8_t { closed, opening, open };

    void open_transport(ClientOutputs& out);
    bool try_next_transport(ClientOutputs& out);
    void continue_farewell(ClientOutputs& out);
    void fail(Error error, ClientOutputs& out);
    void end(engineio::CloseReason reason, ClientOutputs& out);
    void drop_links(ClientOutputs& out);
    std::optional<Event> apply(engineio::Channel channel, FrameView frame, Instant now,
                               ClientOutputs& out);
    Event handle_opened(Instant now, ClientOutputs& out);
    void drop_probe(ClientOutputs& out);
    std::optional<Event> finish_upgrade(ClientOutputs& out);
    void poll(ClientOutputs& out);
    std::string take_payload();
    bool is_polling() const { return transport_ == engineio::TransportKind::polling; }
    bool is_upgrading() const;

    Options options_;
    State state_ = State::closed;
    std::size_t candidate_ = 0;  // place in options_.transports
    bool websocket_worked_ = false;
    engineio::TransportKind transport_ = engineio::TransportKind::websocket;
    LinkId last_link_ = 0;
    LinkId link_ = 0;
    LinkId probe_ = 0;  // 0: none
    std::optional<engineio::Session> session_;

    bool get_in_flight_ = false;
    bool post_in_flight_ = false;
    std::vector<Frame> waiting_;  // to be sent: a POST is under way, or an upgrade being finished

    // What came and next_event() has not handed on: a body's frames, or one frame of a WebSocket.
    std::vector<Frame> payload_;
    std::size_t payload_taken_ = 0;
    std::optional<FrameView> frame_;
    engineio::Channel frame_channel_ = engineio::Channel::current;
    bool has_ended_ = false;  // `closed` is still to be told

    // A session we closed: its last words, one request at a time.
    struct Farewell {
        LinkId link = 0;
        std::string sid;
        std::string waiting;  // a body; then the close packet
    };
    std::optional<Farewell> farewell_;

    engineio::CloseReason close_reason_ = engineio::CloseReason::transport_close;
    std::optional<Error> error_;
    std::string close_description_;
};

}  // namespace oncewire::peer
