#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "server/hub/hub.hpp"
#include "server/routes/routes.hpp"
#include "tests/sim/env.hpp"
#include "tests/sim/link.hpp"

namespace oncewire::sim {

/// The sockets of one simulated core: WebSockets and requests, brought to the production's Routes.
class CoreWires final : public routes::Routes::Wires {
  public:
    /// `hub` and `network` outlive this. `random`: that many bytes.
    CoreWires(Env& env, Network& network, hub::Hub& hub,
              std::function<std::string(std::size_t)> random)
        : env_(env),
          network_(network),
          hub_(hub),
          random_(std::move(random)),
          routes_(hub, {}, *this) {}

    routes::Routes& routes() { return routes_; }
    /// True: the output was for a transport.
    bool perform(hub::HubOutput& output);

    /// It may be gone already, since its core may have been away; then it is told so next.
    void link_opened(LinkNumber link, const Target& target);
    void link_frame(LinkNumber link, const Frame& frame);
    void link_written(LinkNumber link);
    void link_closed(LinkNumber link);

    void add_entropy() override;
    bool write(hub::ConnectionId id, routes::Routes::Frames frames) override;
    void close(hub::ConnectionId id) override;
    void answer(routes::Routes::RequestId id, net::HttpResponse response) override;

  private:
    void open_request(LinkNumber link, const Target& target);
    std::optional<hub::ConnectionId> connection_of(LinkNumber link) const;
    void swallow_one(routes::Routes::Frames& frames);

    Env& env_;
    Network& network_;
    hub::Hub& hub_;
    std::function<std::string(std::size_t)> random_;
    routes::Routes routes_;
    std::map<LinkNumber, hub::ConnectionId> connections_;  // of WebSockets
    std::map<hub::ConnectionId, LinkNumber> links_;
    std::map<LinkNumber, Target> requests_;  // not answered yet
    std::set<LinkNumber> bodies_;            // of POSTs, still to come
    std::set<hub::ConnectionId> writing_;
    bool is_deaf_ = false;
};

}  // namespace oncewire::sim
