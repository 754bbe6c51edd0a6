#include "server/sequencer/recovery.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "server/sequencer/pages.hpp"

namespace oncewire::sequencer {
namespace {

/// How often sessions that are over are looked for: they wait for nothing but their rows' end.
constexpr std::int64_t tidy_every = 10'000;

/// Before this nothing was for it.
delivery::Offset beginning_of(const SessionRow& row) {
    delivery::Offset beginning = row.from.offset;
    for (const auto& membership : row.rooms) beginning = std::min(beginning, membership.since);
    return beginning;
}

std::vector<Membership> members_since(const std::vector<std::string>& rooms,
                                      delivery::Offset since) {
    std::vector<Membership> result;
    for (const auto& room : rooms) result.push_back({room, since});
    return result;
}

}  // namespace

void Recovery::set_time(Instant now, UnixMillis wall_clock) {
    now_ = now;
    wall_clock_ = wall_clock;
}

/// Began at the time of day when it was first asked, and is never set: a window is as long as it says.
UnixMillis Recovery::steady_clock() {
    const auto now = now_.time_since_epoch().count();
    if (!clock_offset_) clock_offset_ = wall_clock_.value - now;
    return {now + *clock_offset_};
}

/// Tells it after what was published before, and before what comes later.
void Recovery::order(std::uint16_t core, FromSequencer mail) {
    mail_.publish_to(overlay_.batch().entries.size());
    mail_.order(core, std::move(mail));
}

// ---- the batch ----------------------------------------------------------------------------------

void Recovery::put_restart() {
    store::Upkeep& upkeep = overlay_.upkeep();
    upkeep.drops_sessions = must_forget_;
    if (!is_restarted_) upkeep.restart_sessions = {steady_clock(), limits_.link_slack};
}

void Recovery::restarted() {
    is_restarted_ = true;
    must_forget_ = false;
}

void Recovery::tidy() {
    if (!is_in_batch_) return;
    const UnixMillis now = steady_clock();
    const UnixMillis oldest_session{now.value - limits_.window.count()};
    const UnixMillis oldest_event{oldest_session.value - limits_.link_slack.count()};
    store::Upkeep& upkeep = overlay_.upkeep();
    upkeep.prune = {limits_.entries_max, limits_.bytes_max, oldest_event};
    if (now.value < tidy_at_.value) return;
    tidy_at_ = {now.value + tidy_every};
    upkeep.drop_unseen_before = oldest_session;
}

void Recovery::end_batch(bool is_void) {
    if (is_void && is_in_batch_) forget_all();
    is_in_batch_ = false;
}

void Recovery::forget_all() {
    if (!must_forget_) ++counts_.forgotten;
    must_forget_ = true;
    live_.clear();
}

// ---- sessions -----------------------------------------------------------------------------------

Result<void, StoreError> Recovery::open(const OpenSession& request) {
    std::string reason;
    if (request.claim) {
        auto row = overlay_.sessions.find(request.claim->pid);
        if (!row) return Err{row.error()};
        delivery::Offset after = 0;
        auto why = why_not(request, *row, after);
        if (!why) return Err{why.error()};
        if (why->empty()) return resume(request, std::move(**row), after);
        reason = std::move(*why);
    }
    const auto head = overlay_.head();
    const SessionRow row{
        request.pid,
        request.sid,
        request.nsp,
        request.user,
        {head.epoch, head.offset},
        steady_clock(),
        true,
        members_since(request.rooms,
                      std::min(request.reads_after.value_or(head.offset), head.offset))};
    if (const auto put = overlay_.sessions.put(row); !put) return put;
    live_.open(request.pid, request.from);
    order(request.from.core,
          SessionOpened{request.from, request.pid, request.sid, {}, row.from, false, reason});
    return {};
}

void Recovery::open_unkept(const OpenSession& request) {
    order(request.from.core, not_kept(request.from));
}

/// Empty: the claim is good, and `after` is how far the client has everything. Somebody else's pid and
/// one that never was are told apart by nothing.
Result<std::string, StoreError> Recovery::why_not(const OpenSession& request,
                                                  const std::optional<SessionRow>& row,
                                                  delivery::Offset& after) {
    using Reason = std::string;
    const auto head = overlay_.head();
    const bool is_theirs = row && row->nsp == request.nsp && row->user == request.user &&
                           row->from.epoch == head.epoch;
    if (!is_theirs) return Reason("unknown");
    after = beginning_of(*row);
    if (request.claim->offset) {
        const auto shown = delivery::parse_position(*request.claim->offset);
        if (!shown) return Reason("bad_offset");
        // Of another history: left over from an earlier session, so it received nothing in this one.
        if (shown->epoch == head.epoch) after = std::max(after, shown->offset);
        if (after > head.offset) return Reason("bad_offset");
    }
    const UnixMillis seen = live_.connection_of(row->pid) ? steady_clock() : row->seen_at;
    if (seen.value + limits_.window.count() < steady_clock().value) return Reason("expired");
    const auto pruned = overlay_.sessions.pruned();
    if (!pruned) return Err{pruned.error()};
    if (std::max(after, row->from.offset) < pruned->to) {
        // What was dropped is old enough to have reached everybody who was connected later; history is
        // still there, and may not be passed over.
        const bool is_recent = pruned->stored_at.value + limits_.link_slack.count() >= seen.value;
        if (is_recent || after < row->from.offset) return Reason("too_much");
        after = pruned->to;
    }
    const auto lost = has_lost_history(overlay_.store().reading(), *row, after);
    if (!lost) return Err{lost.error()};
    return Reason(*lost ? "too_much" : "");
}

/// The newest connection is the session's; the one before, if it still seems to be there, is closed.
Result<void, StoreError> Recovery::resume(const OpenSession& request, SessionRow row,
                                          delivery::Offset after) {
    const auto head = overlay_.head().offset;
    const auto own_room = request.nsp + ',' + request.sid;
    for (const auto& room : request.rooms) {
        const bool known = room == own_room ||
                           std::any_of(row.rooms.begin(), row.rooms.end(),
                                       [&](const Membership& one) { return one.room == room; });
        if (!known) row.rooms.push_back({room, head});
    }
    row.live = true;
    row.seen_at = steady_clock();
    if (const auto put = overlay_.sessions.put(row); !put) return put;
    if (const auto* owner = live_.connection_of(row.pid)) {
        ++counts_.fenced;
        order(owner->core, Fence{*owner});
    }
    ++counts_.resumed;
    live_.open(row.pid, request.from);
    SessionOpened opened{request.from, row.pid, row.sid, {}, {row.from.epoch, after}, true, {}};
    for (const auto& room : row.rooms) opened.rooms.push_back(room.room);
    order(request.from.core, std::move(opened));
    return {};
}

std::optional<std::string> Recovery::changed_session(const ChangeRooms& change) {
    const auto* pid = live_.pid_of(change.from);
    if (!pid || live_.is_outdated(*pid, change.room, change.letter)) return std::nullopt;
    return *pid;
}

Result<void, StoreError> Recovery::change_rooms(const std::string& pid, const ChangeRooms& change) {
    return change.joins ? overlay_.sessions.join(pid, {change.room, overlay_.head().offset})
                        : overlay_.sessions.leave(pid, change.room);
}

Result<void, StoreError> Recovery::end(const std::string& pid, bool is_final) {
    live_.close(pid);
    if (is_final) return overlay_.sessions.drop(pid);
    auto row = overlay_.sessions.find(pid);
    if (!row) return Err{row.error()};
    if (!*row) return {};
    (*row)->live = false;
    (*row)->seen_at = steady_clock();
    return overlay_.sessions.put(**row);
}

// ---- what is emitted ----------------------------------------------------------------------------

void Recovery::record(const Record& record, bool is_stored) {
    auto event = record.event;
    event.stored_at = steady_clock();
    if (is_stored) {
        event.offset = overlay_.log.record(event);
        ++counts_.recorded;
    }
    order(OutgoingMail::every_core,
          Recorded{record.from, std::make_shared<const RecordedEvent>(std::move(event)),
                   record.is_direct, is_stored});
}

void Recovery::relay(const Relay& relay) {
    order(OutgoingMail::every_core, Relayed{relay.from, relay.letter, commands_});
}

Result<void, StoreError> Recovery::apply(const SessionEffect& effect) {
    const auto pids = overlay_.sessions.in(effect.rooms);
    if (!pids) return Err{pids.error()};
    const auto head = overlay_.head().offset;
    for (const auto& pid : *pids) {
        auto row = overlay_.sessions.find(pid);
        if (!row) return Err{row.error()};
        const bool spared =
            !*row || std::any_of((*row)->rooms.begin(), (*row)->rooms.end(), [&](const auto& one) {
                return std::find(effect.except.begin(), effect.except.end(), one.room) !=
                       effect.except.end();
            });
        if (spared) continue;
        live_.note_command(pid, effect, commands_);
        Result<void, StoreError> done;
        if (effect.ends) done = overlay_.sessions.drop(pid);
        for (const auto& room : effect.joined) {
            if (done) done = overlay_.sessions.join(pid, {room, head});
        }
        for (const auto& room : effect.left) {
            if (done) done = overlay_.sessions.leave(pid, room);
        }
        if (!done) return done;
    }
    return {};
}

}  // namespace oncewire::sequencer
