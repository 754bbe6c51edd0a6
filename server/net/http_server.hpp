#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/asio/ip/tcp.hpp>

#include "server/net/engine_request.hpp"
#include "server/net/http_message.hpp"
#include "server/net/static_files.hpp"
#include "shared/base/time.hpp"

namespace oncewire::net {

/// A connection that left HTTP for WebSocket.
struct Upgraded {
    int socket = -1;      ///< now the receiver's to close
    std::string address;  ///< of the peer
    HttpRequest request;
    std::string answer;  ///< the 101, still to be sent
    std::string unread;  ///< what came in behind the request
};

/// A connection whose request belongs to a session of another core.
struct Foreign {
    int socket = -1;       ///< now the receiver's
    std::string address;   ///< of the peer
    std::string received;  ///< the request and what came behind it
};

/// Names a request that waits for its answer; never used twice, never 0.
using RequestId = std::uint64_t;

/// The owner of the sessions, as the HTTP side sees it. Called on the HttpServer's thread; references
/// are valid during the call.
class EngineHost {
  public:
    virtual ~EngineHost() = default;

    virtual SessionKind session_kind(std::string_view sid) = 0;
    /// A handshake or a poll; HttpServer::answer() ends it, now or later.
    virtual void handle_get(RequestId id, const HttpRequest& request,
                            const std::string& address) = 0;
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
/// Promise: a head that is not whole within `head_timeout` and a body not within `body_timeout` end the
/// connection, however they dribble in; so does anything the gate refuses, after its answer; memory
/// per connection is bounded by one head and one body.
class HttpServer {
  public:
    struct Options {
        EngineOptions engine;
        Millis head_timeout{5'000};  ///< also for how long a kept connection may be idle
        Millis body_timeout{10'000};
        /// For a refused peer to read why, before what it still sends makes the kernel reset it.
        Millis linger{1'000};
    };

    /// `host` outlives the server.
    HttpServer(Options options, EngineHost& host) : options_(std::move(options)), host_(host) {}

    /// Takes over an accepted connection, until it ends or is upgraded.
    /// `received`: what came in already.
    void serve(boost::asio::ip::tcp::socket socket, std::string address, std::string received = {});
    /// Ends a request that the host has. Ignored if its peer is gone.
    void answer(RequestId id, HttpResponse response);
    /// Requests the host has.
    std::size_t waiting() const { return waiting_.size(); }

  private:
    class Conversation;

    Options options_;
    EngineHost& host_;
    RequestId last_request_ = 0;
    std::unordered_map<RequestId, std::shared_ptr<Conversation>> waiting_;
};

}  // namespace oncewire::net
