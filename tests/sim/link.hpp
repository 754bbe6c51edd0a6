#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/env.hpp"
#include "tests/sim/pipe.hpp"

namespace oncewire::sim {

/// One connection of the simulated network, numbered from 1 and never reused.
using LinkNumber = std::uint32_t;

/// What a connection is dialled for: what its first line would say.
struct Target {
    enum class Kind : std::uint8_t { websocket, get, post };
    Kind kind = Kind::websocket;
    std::string sid;   ///< of the session it belongs to; empty: a new one
    std::string mark;  ///< of a request (net::request_mark)
};

/// Whoever has ends of links: a tab, or the server. Calls come from the event heap, never from inside
/// a call to the network.
class LinkEnd {
  public:
    virtual ~LinkEnd() = default;
    virtual void link_opened(LinkNumber link) = 0;
    virtual void link_frame(LinkNumber link, const Frame& frame) = 0;
    /// The operating system has taken all that was sent.
    virtual void link_written(LinkNumber link) = 0;
    virtual void link_closed(LinkNumber link) = 0;
};

/// All links between the browsers and the one server, and what happens to them. A link is a WebSocket,
/// or carries one request and its answer.
class Network {
  public:
    enum class Side : std::uint8_t { server, client };

    explicit Network(Env& env) : env_(env) {}

    /// The server's process listens, or nobody does.
    void listen(LinkEnd* server) { server_ = server; }
    /// A browser opens a link: `client` hears link_opened(), or link_closed(), or for ever nothing.
    LinkNumber dial(LinkEnd& client, Target target = {});
    /// Of a link that is there.
    const Target& target(LinkNumber link) const { return links_.at(link).target; }
    /// What `from` says goes to the other side.
    void send(LinkNumber link, Side from, const std::vector<SharedFrame>& frames);
    /// When the frame was sent that is being handed over: on a link that stood still, long ago.
    Instant sent_at() const { return sent_at_; }
    /// What was sent still arrives; `from` hears nothing more.
    void close(LinkNumber link, Side from);
    /// The process or page on that side is gone: its operating system closes, or not even that.
    void abandon(LinkNumber link, Side side);
    /// The server's process is gone; or its machine, and then nobody closes anything.
    void abandon_all_by_server(bool power_lost);

    /// One fault on one link, of the kinds this seed knows.
    void misbehave();
    /// What stands still goes on, and every link is as fast as any.
    void heal();

  private:
    struct End {
        LinkEnd* who = nullptr;  // none: nobody there, or not any more
        Pipe incoming;
        Timer arrivals;
        bool hears_closed = false;  // there, and has yet to be told that the link is gone
        bool hears_frames = false;
        bool awaits_written = false;
    };
    struct Link {
        Target target;
        std::array<End, 2> ends;  // by Side
        Millis latency{0};
        std::uint32_t jitter = 0;
        std::uint64_t buffer_bytes = 0;

        End& end(Side side) { return ends[static_cast<std::size_t>(side)]; }
        bool is_over() const;
    };

    static Side other(Side side) { return side == Side::server ? Side::client : Side::server; }
    Link* find(LinkNumber link);
    Instant arrival(const Link& link);
    void send_item(LinkNumber number, Side to, Pipe::Kind kind, SharedFrame frame, Instant due);
    void await_arrival(LinkNumber number, Side side);
    void pump(LinkNumber number, Side side);
    void deliver(LinkNumber number, Side side, const Pipe::Item& item);
    void check_written(LinkNumber number, Side side);
    void tell_closed(LinkNumber number, Side side);
    void forget_if_over(LinkNumber number);
    void answer_dial(LinkNumber number);

    void cut(LinkNumber number);
    void break_direction(LinkNumber number, Side side);
    void lose_tail(Link& link, Side side);
    void leave(LinkNumber number, Side side, bool power_lost);
    void notice_closed(LinkNumber number, Side side, bool power_lost = false);
    void stand_still(LinkNumber number, Side side, Millis time);

    Env& env_;
    LinkEnd* server_ = nullptr;
    LinkNumber last_ = 0;
    Instant sent_at_;
    std::map<LinkNumber, Link> links_;
};

}  // namespace oncewire::sim
