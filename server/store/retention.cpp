#include "server/store/retention.hpp"

#include <algorithm>

namespace oncewire::store {

const RetentionRule* Retention::rule_for(std::string_view room) const {
    const auto found = std::find_if(rules.begin(), rules.end(), [room](const RetentionRule& rule) {
        return rule.room.empty() || rule.room == room;
    });
    return found == rules.end() ? nullptr : &*found;
}

std::size_t count_removable(const RetentionRule& rule, const std::vector<Age>& oldest,
                            std::uint64_t last_seq, UnixMillis now) {
    std::size_t count = 0;
    for (const Age& entry : oldest) {
        if (entry.room_seq >= last_seq) break;
        const bool too_old = rule.age && now.value - entry.stored_at.value > rule.age->count();
        const bool too_many = rule.entries && last_seq - entry.room_seq >= *rule.entries;
        if (!too_old && !too_many) break;
        ++count;
    }
    return count;
}

}  // namespace oncewire::store
