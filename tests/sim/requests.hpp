#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "shared/peer/client_output.hpp"
#include "tests/sim/env.hpp"
#include "tests/sim/link.hpp"

namespace oncewire::sim {

/// The long-polling of one page, as a browser does it: each request on a link of its own, which the
/// browser dials again by itself if it breaks before the answer, without a word to the page.
class Requests {
  public:
    using Answered = std::function<void(peer::LinkId link, bool is_post, std::uint32_t status,
                                        std::string_view body)>;

    Requests(Env& env, Network& network, LinkEnd& page, Answered answered)
        : env_(env), network_(network), page_(page), answered_(std::move(answered)) {}

    void send(const peer::SendRequest& request);
    /// Nobody waits for the GET of this link any more: it ends after the POSTs that are under way.
    void abandon(peer::LinkId link);
    /// The page is gone.
    void leave();

    bool carries(LinkNumber number) const { return under_way_.count(number) > 0; }
    void link_opened(LinkNumber number);
    void link_frame(LinkNumber number, const Frame& frame);
    void link_closed(LinkNumber number);

  private:
    struct Request {
        peer::LinkId link = 0;
        Target target;
        std::string body;
        std::uint32_t attempts = 0;
    };

    void dial(Request request);
    void end(LinkNumber number, std::uint32_t status, std::string_view body);
    void end_abandoned(peer::LinkId link);

    Env& env_;
    Network& network_;
    LinkEnd& page_;
    Answered answered_;
    std::uint64_t marks_ = 0;
    std::map<LinkNumber, Request> under_way_;
    std::set<peer::LinkId> abandoned_;
};

}  // namespace oncewire::sim
