#include "shared/socketio/acks.hpp"

namespace oncewire::socketio {

AckId PendingAcks::expect(std::optional<Instant> deadline) {
    const AckId id = next_id_++;
    pending_.emplace(id, deadline);
    if (deadline) deadlines_.emplace(*deadline, id);
    return id;
}

bool PendingAcks::settle(AckId id) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return false;
    if (found->second) deadlines_.erase({*found->second, id});
    pending_.erase(found);
    return true;
}

std::vector<AckId> PendingAcks::expire(Instant now) {
    std::vector<AckId> expired;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        expired.push_back(deadlines_.begin()->second);
        pending_.erase(expired.back());
        deadlines_.erase(deadlines_.begin());
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
    return deadlines_.begin()->first;
}

}  // namespace oncewire::socketio
