#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/base/time.hpp"
#include "shared/delivery/position.hpp"

/// What recovery of unmodified clients (tier 0) keeps: who was connected, and what was emitted lately.
namespace oncewire::store {

/// A room, named as log_room() does, and the head of the log when its member came in: what was emitted
/// to it before is not for this member. Of its history more may be: then this is where that begins.
struct Membership {
    std::string room;
    delivery::Offset since = 0;
    bool operator==(const Membership&) const = default;
};

/// One namespace session, connected or lately so.
struct SessionRow {
    std::string pid;  ///< finds the session; secret, but proves nothing
    std::string sid;
    std::string nsp;
    std::string user;  ///< to whom the pid was given; empty: to nobody in particular
    /// The head when it began: no event before it was for this session, and no history but what its rooms
    /// say.
    delivery::Position from;
    UnixMillis seen_at;  ///< when it was last known to be connected
    bool live = false;
    std::vector<Membership> rooms;  ///< by name
    bool operator==(const SessionRow&) const = default;
};

bool is_in_any(const SessionRow& row, const std::vector<std::string>& rooms);

/// An event that was emitted while recovery is on, and for whom.
struct RecordedEvent {
    delivery::Offset offset = 0;
    std::string nsp;
    std::vector<std::string> rooms;   ///< log_room() names; at least one
    std::vector<std::string> except;  ///< the same
    std::string data;                 ///< JSON array text, without the position
    std::vector<std::string> attachments;
    UnixMillis stored_at;
    bool operator==(const RecordedEvent&) const = default;

    /// What it counts for against RecordLimits::bytes_max.
    std::uint64_t bytes() const;
};

/// Whether a session with these rooms may see what was emitted at `offset` to `rooms` but not to
/// `except`: a member of one of them already then, and now in none of those left out (R15).
bool may_see(const std::vector<Membership>& session, delivery::Offset offset,
             const std::vector<std::string>& rooms, const std::vector<std::string>& except);

/// What is kept of recorded events. The newest is always kept.
struct RecordLimits {
    std::uint64_t entries_max = 0;
    std::uint64_t bytes_max = 0;
    UnixMillis older_than;  ///< those stored before this go, too
};

/// How far recorded events have been dropped.
struct Pruned {
    delivery::Offset to = 0;  ///< 0: none ever was
    UnixMillis stored_at;     ///< of the newest dropped one
    bool operator==(const Pruned&) const = default;
};

}  // namespace oncewire::store
