#pragma once

#include <functional>
#include <memory>
#include <string>

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

    HttpServer(Options options, std::function<void(Upgraded)> on_upgrade)
        : options_(std::move(options)), on_upgrade_(std::move(on_upgrade)) {}

    /// Takes over an accepted connection, until it ends or is upgraded.
    void serve(boost::asio::ip::tcp::socket socket, std::string address);

  private:
    class Conversation;

    Options options_;
    std::function<void(Upgraded)> on_upgrade_;
};

}  // namespace oncewire::net
