#include "tests/sim/core_wires.hpp"

#include <algorithm>
#include <utility>

namespace oncewire::sim {
namespace {

using Side = Network::Side;

hub::Request request_for(engineio::TransportKind transport) {
    hub::Request request;
    request.transport = transport;
    request.url = transport == engineio::TransportKind::polling
                      ? "/socket.io/?EIO=4&transport=polling"
                      : "/socket.io/?EIO=4&transport=websocket";
    return request;
}

/// Of an entry for a reader who is told which came before it.
std::optional<delivery::Position> linked_place(const Frame& frame) {
    const auto begin = frame.bytes.rfind(",\"");
    if (begin == std::string::npos || !frame.bytes.ends_with("\"]")) return std::nullopt;
    const auto text = std::string_view(frame.bytes).substr(begin + 2);
    if (std::count(text.begin(), text.end(), '.') != 2) return std::nullopt;
    const auto linked = delivery::parse_linked_position(text.substr(0, text.size() - 2));
    return linked ? std::optional(linked->position) : std::nullopt;
}

bool says_reached(const Frame& frame) {
    return frame.bytes.find(R"(["oncewire:reached",)") != std::string::npos;
}

}  // namespace

std::optional<hub::ConnectionId> CoreWires::connection_of(LinkNumber link) const {
    const auto found = connections_.find(link);
    return found == connections_.end() ? std::nullopt : std::optional(found->second);
}

void CoreWires::link_opened(LinkNumber link, const Target& target) {
    if (target.kind != Target::Kind::websocket) return open_request(link, target);
    const auto connection = routes_.handle_websocket(
        target.sid, request_for(engineio::TransportKind::websocket), false, env_.now());
    if (!connection) return network_.close(link, Side::server);
    connections_[link] = *connection;
    links_[*connection] = link;
}

/// The head of a request is here.
void CoreWires::open_request(LinkNumber link, const Target& target) {
    requests_[link] = target;
    const bool is_get = target.kind == Target::Kind::get;
    if (is_get && target.sid.empty()) {
        return routes_.handle_first_get(link, request_for(engineio::TransportKind::polling), {},
                                        env_.now());
    }
    if (!routes_.is_polling(target.sid)) return answer(link, {400, {}, "unknown", {}});
    if (is_get) return routes_.handle_get(link, target.sid, target.mark, env_.now());
    if (!routes_.handle_post_begun(target.sid)) return answer(link, {400, {}, "", {}});
    bodies_.insert(link);
}

void CoreWires::link_frame(LinkNumber link, const Frame& frame) {
    if (const auto connection = connection_of(link)) {
        return routes_.handle_frame(*connection, frame, env_.now());
    }
    if (bodies_.erase(link) == 0) return;
    const Target target = requests_.at(link);
    routes_.handle_post(link, target.sid, frame.bytes, target.mark);
}

void CoreWires::link_written(LinkNumber link) {
    const auto connection = connection_of(link);
    if (!connection) return;
    writing_.erase(*connection);
    routes_.handle_written(*connection, env_.now());
}

void CoreWires::link_closed(LinkNumber link) {
    if (const auto connection = connection_of(link)) {
        connections_.erase(link);
        links_.erase(*connection);
        writing_.erase(*connection);
        return routes_.handle_closed(*connection, engineio::CloseReason::transport_close,
                                     env_.now());
    }
    const auto found = requests_.find(link);
    if (found == requests_.end()) return;
    const Target target = std::move(found->second);
    requests_.erase(found);
    if (bodies_.erase(link) > 0) return routes_.handle_post_aborted(target.sid);
    if (target.kind == Target::Kind::get) routes_.handle_abandoned(link, target.sid);
}

// ---- what Routes wants --------------------------------------------------------------------------

bool CoreWires::perform(hub::HubOutput& output) {
    is_deaf_ = env_.mutant == Mutant::unread_at_upgrade &&
               std::holds_alternative<hub::SwitchTransport>(output);
    return routes_.perform(output, env_.now());
}

void CoreWires::add_entropy() {
    if (const auto wanted = hub_.secrets().wanted()) hub_.secrets().add(random_(wanted));
}

bool CoreWires::write(hub::ConnectionId id, routes::Routes::Frames frames) {
    if (is_deaf_) return true;
    const auto found = links_.find(id);
    if (found == links_.end()) return false;
    if (!routes_.is_probing(id) && !writing_.insert(id).second) {
        env_.witness.report(Breach::unbounded, "a second Write before the first was taken");
    }
    swallow_one(frames);
    network_.send(found->second, Side::server, frames);
    return false;
}

/// One that another follows, by which its reader will know: unless it was told before that it has everything.
void CoreWires::swallow_one(routes::Routes::Frames& frames) {
    std::optional<delivery::Position> following;
    for (std::size_t i = frames.size(); i-- > 0;) {
        if (says_reached(*frames[i])) following.reset();
        const auto place = linked_place(*frames[i]);
        if (!place) continue;
        const bool is_known = following && place->epoch == following->epoch;
        following = place;
        if (!is_known || !env_.faults.strikes(Fault::entry_swallowed, 1, 20)) continue;
        // What vanished again when it was fetched would be told as lost, and is not.
        if (!env_.witness.vanishes(*place)) continue;
        env_.note("entry {} vanishes", place->offset);
        frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(i));
        return;
    }
}

void CoreWires::close(hub::ConnectionId id) {
    const auto found = links_.find(id);
    if (found == links_.end()) return;
    network_.close(found->second, Side::server);
    connections_.erase(found->second);
    links_.erase(found);
    writing_.erase(id);
}

void CoreWires::answer(routes::Routes::RequestId id, net::HttpResponse response) {
    const auto link = static_cast<LinkNumber>(id);
    if (requests_.erase(link) == 0) return;  // its peer is gone
    const std::string text = std::to_string(response.status) + ' ' + response.body;
    network_.send(link, Side::server,
                  {std::make_shared<const Frame>(Frame{FrameType::text, text})});
}

}  // namespace oncewire::sim
