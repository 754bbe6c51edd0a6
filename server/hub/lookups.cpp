#include "server/hub/lookups.hpp"

#include <algorithm>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::hub {

bool Lookups::is_lookup(std::string_view data) const {
    if (events_.empty()) return false;
    const auto name = json::first_element(data);
    const auto event = name ? json::as_string(*name) : std::nullopt;
    return event && events_.contains(*event);
}

std::optional<store::Verdict> Lookups::add(ConnectionId connection, mail::Submit submit) {
    if (submit.data.size() > limits::lookup_bytes)
        return store::reject("too_large", "a question has at most 4096 bytes");
    auto& waiting = connections_[connection].waiting;
    if (waiting.size() >= limits::lookups_waiting)
        return store::reject("too_many_questions", "wait for the answers first");
    waiting.push_back(std::move(submit));
    return std::nullopt;
}

std::optional<mail::Submit> Lookups::next(ConnectionId connection) {
    const auto found = connections_.find(connection);
    if (found == connections_.end()) return std::nullopt;
    auto& [under_way, waiting] = found->second;
    if (waiting.empty() || under_way.size() >= limits::lookups_in_flight) return std::nullopt;
    mail::Submit submit = std::move(waiting.front());
    waiting.erase(waiting.begin());
    under_way.emplace_back(submit.from.session, *submit.ack_id);
    return submit;
}

bool Lookups::end(ConnectionId connection, SocketId socket, socketio::AckId ack_id) {
    const auto found = connections_.find(connection);
    if (found == connections_.end()) return false;
    // A client may give two questions the same number; each has its own answer.
    auto& under_way = found->second.under_way;
    const auto one = std::find(under_way.begin(), under_way.end(), std::pair(socket, ack_id));
    if (one == under_way.end()) return false;
    under_way.erase(one);
    forget_idle(found);
    answered_.push_back(connection);
    return true;
}

bool Lookups::drop(ConnectionId connection, SocketId socket) {
    const auto found = connections_.find(connection);
    if (found == connections_.end()) return false;
    auto& [under_way, waiting] = found->second;
    std::erase_if(waiting, [socket](const auto& submit) { return submit.from.session == socket; });
    const bool had_any = std::erase_if(under_way, [socket](const auto& lookup) {
                             return lookup.first == socket;
                         }) > 0;
    forget_idle(found);
    return had_any;
}

void Lookups::forget_idle(Connections::iterator connection) {
    const auto& [under_way, waiting] = connection->second;
    if (under_way.empty() && waiting.empty()) connections_.erase(connection);
}

}  // namespace oncewire::hub
