#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "server/hub/hub.hpp"
#include "server/net/gate/http_message.hpp"
#include "server/net/gate/polling.hpp"
#include "server/net/gate/seat.hpp"

namespace oncewire::routes {

/// Which transport carries which connection of a core: a WebSocket, long-polling, or long-polling while
/// a WebSocket is being tried. The hub sees connections alone. [EIO4 Upgrade]
///
/// Promise: what the hub writes goes out in order, once, whichever transport takes over meanwhile.
/// No I/O of its own: Wires does it. One thread.
class Routes {
  public:
    using Frames = std::vector<hub::SharedFrame>;
    using RequestId = net::Polling::RequestId;

    /// The owner, which has the sockets.
    class Wires {
      public:
        virtual ~Wires() = default;
        /// Something is about to come in, for which the hub may want hub::Secrets.
        virtual void add_entropy() = 0;
        /// Sends on this connection's WebSocket. False: handle_written() or handle_closed() follows.
        virtual bool write(hub::ConnectionId id, Frames frames) = 0;
        /// Ends its WebSocket, if there is one.
        virtual void close(hub::ConnectionId id) = 0;
        virtual void answer(RequestId id, net::HttpResponse response) = 0;
    };

    /// `hub` and `wires` outlive this.
    Routes(hub::Hub& hub, net::Polling::Options polling, Wires& wires)
        : hub_(hub), wires_(wires), polling_(std::move(polling)) {}

    // ---- WebSockets -----------------------------------------------------------------------------

    /// One has shaken hands; `sid` is empty, or of the session that tries it. None: not wanted.
    /// `text_only`: its client can send and read no bytes.
    std::optional<hub::ConnectionId> handle_websocket(std::string_view sid,
                                                      const hub::Request& request, bool text_only,
                                                      Instant now);
    /// Its WebSocket is being tried, and polling carries it.
    bool is_probing(hub::ConnectionId id) const { return polling_.is_open(id); }
    void handle_frame(hub::ConnectionId id, FrameView frame, Instant now);
    void handle_written(hub::ConnectionId id, Instant now);
    void handle_closed(hub::ConnectionId id, engineio::CloseReason reason, Instant now);

    // ---- long-polling; each request is answered some day ----------------------------------------

    /// Whether `sid` polls: a session, or one that is over and whose client has not heard of it.
    bool is_polling(std::string_view sid) const;
    /// A GET without a sid. `seat`: kept as long as the session polls.
    void handle_first_get(RequestId id, const hub::Request& request, net::Seat seat, Instant now);
    void handle_get(RequestId id, std::string_view sid, std::string_view mark, Instant now);
    /// The head of a POST came. False: nobody wants the body.
    bool handle_post_begun(std::string_view sid);
    void handle_post(RequestId id, std::string_view sid, std::string_view body,
                     std::string_view mark);
    void handle_post_aborted(std::string_view sid);
    /// The peer closed its connection while this GET waited.
    void handle_abandoned(RequestId id, std::string_view sid);

    // ---- the hub's side -------------------------------------------------------------------------

    /// Takes what polling has to say into the hub. False: nothing.
    bool hear(Instant now);
    /// True: the output was for a transport.
    bool perform(hub::HubOutput& output, Instant now);

    void handle_timeout(Instant now) { polling_.handle_timeout(now); }
    std::optional<Instant> next_timeout() const { return polling_.next_timeout(); }

  private:
    void write(hub::ConnectionId id, Frames frames, Instant now);
    void switch_transport(hub::ConnectionId id, Instant now);

    hub::Hub& hub_;
    Wires& wires_;
    net::Polling polling_;
    std::unordered_set<hub::ConnectionId> text_only_;  // want bytes as base64; never iterated
};

}  // namespace oncewire::routes
