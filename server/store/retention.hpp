#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/time.hpp"

namespace oncewire::store {

/// How much of a room's history is kept. An entry goes when any limit says so; the newest one of a room
/// always stays.
struct RetentionRule {
    /// log_room() it is for; empty: every room that no rule before it names.
    std::string room = {};
    std::optional<Millis> age = {};             ///< by when it was stored
    std::optional<std::uint64_t> entries = {};  ///< the newest so many; at least 1
};

/// Rules in the order they are asked. None: everything is kept for ever.
struct Retention {
    std::vector<RetentionRule> rules = {};

    bool keeps_all() const { return rules.empty(); }
    /// Null: all of this room is kept.
    const RetentionRule* rule_for(std::string_view room) const;
};

/// An entry as far as retention looks at it.
struct Age {
    std::uint64_t room_seq = 0;
    UnixMillis stored_at;
};

/// How many of a room's oldest entries may go. `oldest`: some of them, in order; `last_seq`: the newest
/// one's number. Only a beginning goes, never from the middle, so that what is missing is one gap: where
/// the wall clock went back, an entry waits for those before it.
std::size_t count_removable(const RetentionRule& rule, const std::vector<Age>& oldest,
                            std::uint64_t last_seq, UnixMillis now);

}  // namespace oncewire::store
