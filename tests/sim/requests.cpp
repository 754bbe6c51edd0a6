#include "tests/sim/requests.hpp"

#include <utility>
#include <vector>

namespace oncewire::sim {
namespace {

using Side = Network::Side;

constexpr std::uint32_t attempts_max = 3;

}  // namespace

void Requests::send(const peer::SendRequest& request) {
    Request fresh;
    fresh.link = request.link;
    fresh.target.kind = request.body ? Target::Kind::post : Target::Kind::get;
    fresh.target.sid = request.sid;
    if (env_.mutant != Mutant::requests_unmarked) {
        fresh.target.mark = '*' + std::to_string(++marks_);
    }
    fresh.body = request.body.value_or("");
    dial(std::move(fresh));
}

void Requests::dial(Request request) {
    ++request.attempts;
    const LinkNumber number = network_.dial(page_, request.target);
    under_way_.emplace(number, std::move(request));
}

void Requests::link_opened(LinkNumber number) {
    const Request& request = under_way_.at(number);
    if (request.target.kind != Target::Kind::post) return;
    network_.send(number, Side::client,
                  {std::make_shared<const Frame>(Frame{FrameType::text, request.body})});
}

/// "200 body"
void Requests::link_frame(LinkNumber number, const Frame& frame) {
    const std::string_view answer = frame.bytes;
    std::uint32_t status = 0;
    for (const char digit : answer.substr(0, 3))
        status = status * 10 + static_cast<std::uint32_t>(digit - '0');
    network_.close(number, Side::client);
    end(number, status, answer.substr(4));
}

void Requests::link_closed(LinkNumber number) {
    Request& request = under_way_.at(number);
    const bool wanted =
        request.target.kind == Target::Kind::post || abandoned_.count(request.link) == 0;
    if (wanted && request.attempts < attempts_max &&
        env_.faults.strikes(Fault::request_repeated, 2, 3)) {
        Request again = std::move(request);
        under_way_.erase(number);
        return dial(std::move(again));
    }
    end(number, 0, "");
}

void Requests::end(LinkNumber number, std::uint32_t status, std::string_view body) {
    const Request request = std::move(under_way_.at(number));
    under_way_.erase(number);
    const bool is_post = request.target.kind == Target::Kind::post;
    answered_(request.link, is_post, status, body);
    if (is_post && abandoned_.count(request.link) > 0) end_abandoned(request.link);
}

void Requests::abandon(peer::LinkId link) {
    abandoned_.insert(link);
    end_abandoned(link);
}

void Requests::end_abandoned(peer::LinkId link) {
    std::vector<LinkNumber> gets;
    for (const auto& [number, request] : under_way_) {
        if (request.link != link) continue;
        if (request.target.kind == Target::Kind::post) return;
        gets.push_back(number);
    }
    for (const LinkNumber number : gets) {
        under_way_.erase(number);
        network_.close(number, Side::client);
    }
}

void Requests::leave() {
    for (const auto& [number, request] : under_way_) network_.abandon(number, Side::client);
    under_way_.clear();
}

}  // namespace oncewire::sim
