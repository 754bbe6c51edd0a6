#include "shared/socketio/acks.hpp"

#include <limits>

namespace oncewire::socketio {

namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

/// Sorts as time does, and `never` comes last.
std::uint64_t deadline_number(std::optional<Instant> deadline) {
    return deadline ? static_cast<std::uint64_t>(deadline->time_since_epoch().count()) : never;
}

}  // namespace

AckId PendingAcks::expect(std::optional<Instant> deadline) {
    const AckId id = next_id_++;
    const std::uint64_t until = deadline_number(deadline);
    pending_.emplace(id, until);
    if (deadline) deadlines_.emplace(until, id);
    return id;
}

PendingAcks::Pairs::iterator PendingAcks::find(AckId id) {
    const auto found = pending_.lower_bound({id, 0});
    return found != pending_.end() && found->first == id ? found : pending_.end();
}

bool PendingAcks::settle(AckId id) {
    const auto found = find(id);
    if (found == pending_.end()) return false;
    deadlines_.erase({found->second, id});
    pending_.erase(found);
    return true;
}

std::vector<AckId> PendingAcks::expire(Instant now) {
    std::vector<AckId> expired;
    while (!deadlines_.empty() && deadlines_.begin()->first <= deadline_number(now)) {
        expired.push_back(deadlines_.begin()->second);
        settle(expired.back());
    }
    return expired;
}

std::vector<AckId> PendingAcks::abandon_all() {
    std::vector<AckId> abandoned;
    abandoned.reserve(pending_.size());
    for (const auto& [id, deadline] : pending_) abandoned.push_back(id);
    pending_.clear();
    deadlines_.clear();
    return abandoned;
}

std::optional<Instant> PendingAcks::next_timeout() const {
    if (deadlines_.empty()) return std::nullopt;
    return Instant(Millis(static_cast<std::int64_t>(deadlines_.begin()->first)));
}

}  // namespace oncewire::socketio
