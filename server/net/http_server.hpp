#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/net/gate/current.hpp"
#include "server/net/gate/engine_request.hpp"
#include "server/net/gate/http_message.hpp"
#include "server/net/gate/refusals.hpp"
#include "server/net/gate/seat.hpp"
#include "server/net/gate/static_files.hpp"
#include "server/net/gate/unfinished_bytes.hpp"
#include "server/net/loop.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/time.hpp"

namespace oncewire::net {

/// The other end of a connection: of TCP, or whom a trusted proxy's PROXY header names.
struct Peer {
    std::string address;
    bool secure = false;  ///< that header says that it speaks TLS
};

/// A connection that left HTTP for WebSocket.
struct Upgraded {
    int socket = -1;  ///< now the receiver's to watch, and to close
    HttpRequest request;
    std::string answer;    ///< the 101, still to be sent
    std::string unread;    ///< what came in behind the request
    bool deflate = false;  ///< [RFC7692] was agreed on
    Seat seat;
};

/// A connection whose request belongs to a session of another core.
struct Foreign {
    int socket = -1;  ///< now the receiver's
    Peer peer;
    std::string received;  ///< the request and what came behind it
    Seat seat;
};

/// Names a request that waits for its answer; never used twice, never 0.
using RequestId = std::uint64_t;

/// The owner of the sessions, as the HTTP side sees it. Called on the HttpServer's thread; references
/// are valid during the call.
class EngineHost {
  public:
    virtual ~EngineHost() = default;

    virtual SessionKind session_kind(std::string_view sid) = 0;
    /// Whether somebody wants to be asked about each handshake.
    virtual bool asks_admission() = 0;
    /// A place for whom the PROXY header on a proxy's connection names; none: there is none left.
    virtual std::optional<Seat> take_seat_by_proxy(const std::string& address) = 0;
    /// The same for a WebSocket, beside the place that its connection has.
    virtual std::optional<Seat> take_websocket_seat(const HttpRequest& request) = 0;
    /// A handshake that HTTP has nothing against; HttpServer::admit() or refuse() follows, some day.
    virtual void handle_handshake(RequestId id, const HttpRequest& request) = 0;
    /// Whoever takes requests has enough to do: bodies stay in their sockets until HttpServer::resume().
    virtual bool is_busy() = 0;
    /// Nobody gets in any more: the server is about to end.
    virtual bool is_leaving() = 0;
    /// Whether somebody answers what is neither Engine.IO's nor a file.
    virtual bool takes_others() = 0;
    /// Such a request, all of it; HttpServer::answer() ends it, now or later.
    virtual void handle_other(RequestId id, const HttpRequest& request) = 0;
    /// A handshake or a poll; HttpServer::answer() ends it, now or later.
    virtual void handle_get(RequestId id, const HttpRequest& request) = 0;
    /// The head of a POST with a good sid came. False: refuse it; its body is not read.
    virtual bool handle_post_begun(const HttpRequest& request) = 0;
    /// All of it came; HttpServer::answer() ends it.
    virtual void handle_post(RequestId id, const HttpRequest& request) = 0;
    virtual void handle_post_aborted(const HttpRequest& request) = 0;
    /// The peer closed its connection while this request waited; it cannot be answered any more.
    virtual void handle_abandoned(RequestId id, const HttpRequest& request) = 0;
    virtual void handle_upgrade(Upgraded upgraded) = 0;
    /// For the core that owns `sid`; it goes on with serve().
    virtual void handle_foreign(std::string_view sid, Foreign foreign) = 0;
};

/// Everything a connection does before it is a WebSocket: requests one after another, each through the
/// gate, answered from the table of static files or by the rules of Engine.IO.
///
/// Promise: a head that is not whole within `header_timeout` and a body not within `body_timeout` end the
/// connection, however they dribble in; so does anything the gate refuses, after its answer. What its
/// head decides is answered before its body comes, and no such body is kept; of those that are wanted
/// memory holds as much as UnfinishedBytes allows, and one head for each connection.
class HttpServer final : private Watcher {
  public:
    struct Options {
        EngineOptions engine;
        /// For how long a trusted proxy's connection may be idle; others for header_timeout. Longer than any of them keeps one (Caddy two minutes).
        Millis proxy_idle_timeout{150'000};
        /// Files beside those that are built in; outlived by them.
        std::span<const StaticFile> files = {};
        /// The chat's page, and /health: 200 "ok", or 503 "leaving" for proxies to look elsewhere.
        bool serves_page = true;
        /// Proxies whose word on their clients counts; see client_of() and read_proxy_header().
        Current<std::vector<IpBlock>> trusted_proxies = {};
        /// Below this path, like "/chat", everything is served, too; empty: none.
        std::string prefix = {};
        /// One line for operators.
        std::function<void(const std::string&)> log = [](const std::string&) {};
        std::shared_ptr<UnfinishedBytes> unfinished = {};  ///< none: one of its own
        /// For a refused peer to read why, before what it still sends makes the kernel reset it.
        Millis linger{1'000};
    };

    /// `loop` and `host` outlive the server.
    HttpServer(Loop& loop, Options options, EngineHost& host)
        : loop_(loop),
          options_(std::move(options)),
          host_(host),
          unfinished_(options_.unfinished
                          ? options_.unfinished
                          : std::make_shared<UnfinishedBytes>(UnfinishedBytes::Options())) {}

    /// Takes over an accepted connection, until it ends or is upgraded. `socket`: does not block, and
    /// nobody watches it. `received`: what came in already. `seat`: kept as long as the connection.
    void serve(int socket, Peer peer, std::string received = {}, Seat seat = {});
    /// Ends a request that the host has. Ignored if its peer is gone.
    void answer(RequestId id, HttpResponse response);
    /// Lets a handshake go on. Not to be called inside handle_handshake().
    void admit(RequestId id);
    /// Code 4 with these words.
    void refuse(RequestId id, std::string_view message);
    /// Goes on with the bodies that waited, as long as the host is not busy again.
    void resume();
    /// Requests the host has.
    std::size_t waiting() const { return waiting_.size(); }
    const RefusalCounts& refusals() const { return refusals_.counts(); }

  private:
    class Conversation;

    void handle_ready(int descriptor, std::uint32_t events) override;
    std::shared_ptr<Conversation> find(RequestId id) const;
    void note_refusal(Refusals::What what, const HttpRequest& request);
    std::string_view date();

    Loop& loop_;
    Options options_;
    std::time_t date_of_ = 0;
    std::string date_;
    EngineHost& host_;
    std::shared_ptr<UnfinishedBytes> unfinished_;  // conversations may outlive us
    Refusals refusals_;
    RequestId last_request_ = 0;
    std::array<char, 4096> piece_;  // what is read at once
    std::unordered_map<int, std::shared_ptr<Conversation>> by_socket_;
    std::unordered_map<RequestId, std::shared_ptr<Conversation>> waiting_;
    std::vector<std::shared_ptr<Conversation>> paused_;
    std::deque<std::shared_ptr<Conversation>> in_turn_;  // the first is about to be taken
};

}  // namespace oncewire::net
