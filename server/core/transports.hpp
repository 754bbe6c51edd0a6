#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/core/connection_limits.hpp"
#include "server/hub/hub.hpp"
#include "server/net/http_server.hpp"
#include "server/net/web_sockets.hpp"
#include "server/routes/routes.hpp"

namespace oncewire::core {

/// The sockets of one core, and what comes in and goes out by them; Routes says which carries whom.
///
/// Lives on the core's thread. Whatever comes in from HTTP is an input of its own turn.
class Transports final : private net::EngineHost, private routes::Routes::Wires {
  public:
    struct Host {
        /// Runs one input of the hub as a turn.
        std::function<void(const std::function<void(Instant)>&)> turn;
        /// For another core.
        std::function<void(std::uint16_t core, net::Foreign foreign)> pass_on;
        /// Whether anybody wants to be asked about handshakes, and asking: `decide` is called once, now
        /// or later; with what to refuse it for, or nothing.
        std::function<bool()> asks_admission;
        using Decide = std::function<void(std::optional<std::string> refusal)>;
        std::function<void(const hub::Request&, Decide decide)> ask_admission;
        /// Whether anybody answers requests for other things, and asking.
        std::function<bool()> takes_http;
        using Reply = std::function<void(net::HttpResponse)>;
        std::function<void(const net::HttpRequest&, Reply reply)> ask_http;
        /// Whoever stores has enough to do; see resume().
        std::function<bool()> is_busy;
        /// Does this on the core's thread, in a turn to come. Any thread.
        std::function<void(std::function<void()>)> post;
    };
    struct Options {
        net::HttpServer::Options http;
        net::WebSockets::Options web_sockets;
        net::Polling::Options polling;
        ConnectionLimits* limits = nullptr;  ///< outlives this
        /// Polling sessions that may begin on one connection of TCP, as long as they live; none: any
        /// number. Those of a trusted proxy are not bounded.
        std::optional<std::uint32_t> sessions_per_connection = sessions_of_one_connection;
        std::uint16_t core = 0;  ///< which one of how many
        std::uint16_t cores = 1;
    };

    /// `hub` and `loop` outlive this.
    Transports(hub::Hub& hub, net::Loop& loop, Options options, Host host);

    net::HttpServer& http() { return http_; }
    /// Something came by a WebSocket, which collect() makes ready for hear().
    bool has_news() const { return web_sockets_.has_news(); }
    void collect() { web_sockets_.collect(); }
    /// In the middle of a turn; false: enough was read in it.
    bool collect_more() { return web_sockets_.collect_more(); }
    /// Whoever stores has enough to do: what comes by WebSockets waits in them, as bodies do by is_busy().
    void pause() { web_sockets_.pause(); }
    /// It has room again.
    void resume() {
        web_sockets_.resume();
        http_.resume();
    }

    /// Takes what transports have to say into the hub. False: nothing.
    bool hear(Instant now);
    /// True: the output was for a transport.
    bool perform(hub::HubOutput& output, Instant now) { return routes_.perform(output, now); }
    void end_turn(Instant now) { web_sockets_.end_turn(now); }

    /// Nobody gets in any more.
    void refuse_newcomers() { accepting_ = false; }
    /// Every peer has been told and has gone.
    bool is_empty() const { return web_sockets_.size() == 0 && http_.waiting() == 0; }

    void handle_timeout(Instant now);
    std::optional<Instant> next_timeout() const;

  private:
    net::SessionKind session_kind(std::string_view sid) override;
    bool asks_admission() override { return host_.asks_admission(); }
    bool is_busy() override { return host_.is_busy(); }
    bool is_leaving() override { return !accepting_; }
    bool takes_others() override { return host_.takes_http(); }
    std::optional<net::Seat> take_seat_by_proxy(const std::string& address) override {
        return limits_.take_by_proxy(address);
    }
    std::optional<net::Seat> take_websocket_seat(const net::HttpRequest& request) override;
    std::optional<net::Seat> take_polling_seat(const net::Client& client);
    void handle_other(net::RequestId id, const net::HttpRequest& request) override;
    void handle_handshake(net::RequestId id, const net::HttpRequest& request) override;
    void handle_get(net::RequestId id, const net::HttpRequest& request) override;
    bool handle_post_begun(const net::HttpRequest& request) override;
    void handle_post(net::RequestId id, const net::HttpRequest& request) override;
    void handle_post_aborted(const net::HttpRequest& request) override;
    void handle_abandoned(net::RequestId id, const net::HttpRequest& request) override;
    void handle_upgrade(net::Upgraded upgraded) override;
    void handle_foreign(std::string_view sid, net::Foreign foreign) override;

    void add_entropy() override;
    bool write(hub::ConnectionId id, routes::Routes::Frames frames) override {
        return web_sockets_.write(id, std::move(frames));
    }
    void close(hub::ConnectionId id) override { web_sockets_.close(id); }
    void answer(net::RequestId id, net::HttpResponse response) override {
        http_.answer(id, std::move(response));
    }

    bool hear_web_sockets(Instant now);
    void refuse(const net::Upgraded& upgraded);
    void hang_up(int socket);
    void decide(net::RequestId id, const std::optional<std::string>& refusal);

    hub::Hub& hub_;
    net::Loop& loop_;
    std::uint16_t core_;
    std::uint16_t cores_;
    ConnectionLimits& limits_;
    std::optional<std::uint32_t> sessions_per_connection_;
    Host host_;
    bool accepting_ = true;
    net::WebSockets web_sockets_;
    routes::Routes routes_;
    net::HttpServer http_;
};

}  // namespace oncewire::core
