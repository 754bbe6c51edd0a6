#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/position.hpp"

/// What recovery of unmodified clients (tier 0) keeps: who was connected, and what was emitted lately.
namespace oncewire::store {

enum class StoreError : std::uint8_t;

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

/// The part of a Store that recovery uses; errors and transactions as there. What changes anything
/// requires begin(). Reads see the open transaction, but read_recorded() what is committed.
class Sessions {
  public:
    virtual ~Sessions() = default;

    virtual Result<std::optional<SessionRow>, StoreError> find_session(std::string_view pid) = 0;
    /// Replaces what there was under this pid.
    virtual Result<void, StoreError> put_session(const SessionRow& row) = 0;
    /// Nothing to do if there is no such session, or it is (join) or is not (leave) in the room.
    virtual Result<void, StoreError> join_session(std::string_view pid, const Membership& room) = 0;
    virtual Result<void, StoreError> leave_session(std::string_view pid, std::string_view room) = 0;
    virtual Result<void, StoreError> drop_session(std::string_view pid) = 0;
    /// The pids of all who are in any of these rooms, each once, in order.
    virtual Result<std::vector<std::string>, StoreError> sessions_in(
        const std::vector<std::string>& rooms) = 0;
    /// The process that knew who is live is gone, and nobody knows for how long, nor whether the clock
    /// was set meanwhile. So time starts anew: nobody is live, whoever was is seen now, and all that is
    /// kept is as if it was recorded now. What was dropped is, too, unless it was older than the newest
    /// event by more than `slack`, so that all who were live have it.
    virtual Result<void, StoreError> restart_sessions(UnixMillis now, Millis slack) = 0;
    /// Sessions that are not live and were not seen since `before`.
    virtual Result<void, StoreError> drop_sessions_unseen_since(UnixMillis before) = 0;
    virtual Result<void, StoreError> drop_all_sessions() = 0;

    /// `event.offset` must be head().offset + 1. Takes an offset as append() does, but no room number.
    virtual Result<void, StoreError> record(const RecordedEvent& event) = 0;
    /// As Store::read(): those for any of these rooms (whoever is left out), in order.
    virtual Result<std::vector<RecordedEvent>, StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) = 0;
    /// Drops the oldest until the limits hold; returns how far was dropped in all.
    virtual Result<Pruned, StoreError> prune_recorded(const RecordLimits& limits) = 0;
    virtual Result<Pruned, StoreError> pruned() = 0;
};

}  // namespace oncewire::store
