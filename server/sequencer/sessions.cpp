// The sequencer's part in the recovery of unmodified clients: sessions, and what is emitted to them.
//
// Whatever the store refuses here ends the recovery of all sessions: an event that could not be recorded
// or a room that could not be left must not be forgotten by those who come back. They get a new session,
// and are told.
#include <algorithm>

#include "server/sequencer/pages.hpp"
#include "server/sequencer/sequencer.hpp"
#include "shared/base/limits.hpp"

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

// ---- the batch ----------------------------------------------------------------------------------

/// False: the store cannot be written now, and sessions are no longer what they were.
bool Sequencer::begin_session_work() {
    if (is_refusing() || !restart_sessions()) return false;
    in_batch_ = true;
    session_work_in_batch_ = true;
    return true;
}

/// A batch of its own, before anything else concerns a session: once in the life of a process, and when sessions were
/// forgotten. False: it could not be stored.
bool Sequencer::restart_sessions() {
    if (sessions_restarted_ && !must_forget_sessions_) return true;
    if (in_batch_) commit(now_);
    if (is_refusing()) return false;
    store::Upkeep& upkeep = overlay_->upkeep();
    upkeep.drops_sessions = must_forget_sessions_;
    if (!sessions_restarted_)
        upkeep.restart_sessions = {steady_clock(), options_.recovery.link_slack};
    in_batch_ = true;
    commit(now_);
    if (is_refusing()) return false;
    sessions_restarted_ = true;
    must_forget_sessions_ = false;
    return true;
}

/// Began at the time of day when it was first asked, and is never set: a window is as long as it says.
UnixMillis Sequencer::steady_clock() {
    const auto now = now_.time_since_epoch().count();
    if (!clock_offset_) clock_offset_ = wall_clock_.value - now;
    return {now + *clock_offset_};
}

void Sequencer::forget_sessions() {
    if (!must_forget_sessions_) ++counts_.forgotten;
    must_forget_sessions_ = true;
    live_.clear();
}

/// Tells it after what was published before, and before what comes later.
void Sequencer::send_ordered(std::uint16_t core, FromSequencer mail) {
    mail_.publish_to(overlay_->batch().entries.size());
    mail_.order(core, std::move(mail));
}

/// What is over by now; part of every batch that recorded something or opened a session.
void Sequencer::tidy_sessions() {
    if (!session_work_in_batch_) return;
    const UnixMillis now = steady_clock();
    const UnixMillis oldest_session{now.value - options_.recovery.window.count()};
    const UnixMillis oldest_event{oldest_session.value - options_.recovery.link_slack.count()};
    store::Upkeep& upkeep = overlay_->upkeep();
    upkeep.prune = {options_.recovery.entries_max, options_.recovery.bytes_max, oldest_event};
    if (now.value < tidy_at_.value) return;
    tidy_at_ = {now.value + tidy_every};
    upkeep.drop_unseen_before = oldest_session;
}

// ---- sessions -----------------------------------------------------------------------------------

void Sequencer::handle(const OpenSession& request) {
    const auto failed = [&] { send_ordered(request.from.core, not_kept(request.from)); };
    if (!begin_session_work()) return failed();
    const auto opened = open_session(request);
    if (opened) return;
    fail_batch(opened.error());
    failed();
}

Result<void, StoreError> Sequencer::open_session(const OpenSession& request) {
    std::string reason;
    if (request.claim) {
        auto row = overlay_->sessions.find(request.claim->pid);
        if (!row) return Err{row.error()};
        delivery::Offset after = 0;
        auto why = why_not(request, *row, after);
        if (!why) return Err{why.error()};
        if (why->empty()) return resume_session(request, std::move(**row), after);
        reason = std::move(*why);
    }
    const auto head = overlay_->head();
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
    if (const auto put = overlay_->sessions.put(row); !put) return put;
    live_.open(request.pid, request.from);
    send_ordered(
        request.from.core,
        SessionOpened{request.from, request.pid, request.sid, {}, row.from, false, reason});
    return {};
}

/// Empty: the claim is good, and `after` is how far the client has everything. Somebody else's pid and
/// one that never was are told apart by nothing.
Result<std::string, StoreError> Sequencer::why_not(const OpenSession& request,
                                                   const std::optional<SessionRow>& row,
                                                   delivery::Offset& after) {
    using Reason = std::string;
    const auto head = overlay_->head();
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
    if (seen.value + options_.recovery.window.count() < steady_clock().value)
        return Reason("expired");
    const auto pruned = overlay_->sessions.pruned();
    if (!pruned) return Err{pruned.error()};
    if (std::max(after, row->from.offset) < pruned->to) {
        // What was dropped is old enough to have reached everybody who was connected later; history is
        // still there, and may not be passed over.
        const bool is_recent =
            pruned->stored_at.value + options_.recovery.link_slack.count() >= seen.value;
        if (is_recent || after < row->from.offset) return Reason("too_much");
        after = pruned->to;
    }
    const auto lost = has_lost_history(store().reading(), *row, after);
    if (!lost) return Err{lost.error()};
    return Reason(*lost ? "too_much" : "");
}

/// The newest connection is the session's; the one before, if it still seems to be there, is closed.
Result<void, StoreError> Sequencer::resume_session(const OpenSession& request, SessionRow row,
                                                   delivery::Offset after) {
    const auto head = overlay_->head().offset;
    const auto own_room = request.nsp + ',' + request.sid;
    for (const auto& room : request.rooms) {
        const bool known = room == own_room ||
                           std::any_of(row.rooms.begin(), row.rooms.end(),
                                       [&](const Membership& one) { return one.room == room; });
        if (!known) row.rooms.push_back({room, head});
    }
    row.live = true;
    row.seen_at = steady_clock();
    if (const auto put = overlay_->sessions.put(row); !put) return put;
    if (const auto* owner = live_.connection_of(row.pid)) {
        ++counts_.fenced;
        send_ordered(owner->core, Fence{*owner});
    }
    ++counts_.resumed;
    live_.open(row.pid, request.from);
    SessionOpened opened{request.from, row.pid, row.sid, {}, {row.from.epoch, after}, true, {}};
    for (const auto& room : row.rooms) opened.rooms.push_back(room.room);
    send_ordered(request.from.core, std::move(opened));
    return {};
}

void Sequencer::handle(const ChangeRooms& change) {
    const auto* known = live_.pid_of(change.from);
    if (!known) return;
    const std::string pid = *known;
    if (live_.is_outdated(pid, change.joined + change.left, change.letter)) return;
    if (!begin_session_work()) return forget_sessions();
    const auto done = change.left.empty()
                          ? overlay_->sessions.join(pid, {change.joined, overlay_->head().offset})
                          : overlay_->sessions.leave(pid, change.left);
    if (!done) fail_batch(done.error());
}

void Sequencer::handle(const EndSession& end) {
    const auto* known = live_.pid_of(end.from);
    if (!known) return;
    const std::string pid = *known;
    if (!begin_session_work()) return forget_sessions();
    live_.close(pid);
    if (end.is_final) {
        if (const auto done = overlay_->sessions.drop(pid); !done) fail_batch(done.error());
        return;
    }
    auto row = overlay_->sessions.find(pid);
    if (!row) return fail_batch(row.error());
    if (!*row) return;
    (*row)->live = false;
    (*row)->seen_at = steady_clock();
    if (const auto put = overlay_->sessions.put(**row); !put) fail_batch(put.error());
}

// ---- what is emitted ----------------------------------------------------------------------------

void Sequencer::handle(const Record& record) {
    auto event = record.event;
    event.stored_at = steady_clock();
    Recorded recorded{record.from, nullptr, record.is_direct, true};
    const bool stored = begin_session_work();
    if (stored) {
        event.offset = overlay_->log.record(event);
        ++counts_.recorded;
    } else {
        forget_sessions();
    }
    recorded.is_stored = stored;
    recorded.event = std::make_shared<const RecordedEvent>(std::move(event));
    send_ordered(OutgoingMail::every_core, std::move(recorded));
}

void Sequencer::handle(const Relay& relay) {
    ++commands_;
    if (relay.effect) {
        if (!begin_session_work()) {
            forget_sessions();
        } else {
            if (const auto done = apply(*relay.effect); !done) fail_batch(done.error());
        }
    }
    send_ordered(OutgoingMail::every_core, Relayed{relay.from, relay.letter, commands_});
}

Result<void, StoreError> Sequencer::apply(const SessionEffect& effect) {
    const auto pids = overlay_->sessions.in(effect.rooms);
    if (!pids) return Err{pids.error()};
    const auto head = overlay_->head().offset;
    for (const auto& pid : *pids) {
        auto row = overlay_->sessions.find(pid);
        if (!row) return Err{row.error()};
        const bool spared =
            !*row || std::any_of((*row)->rooms.begin(), (*row)->rooms.end(), [&](const auto& one) {
                return std::find(effect.except.begin(), effect.except.end(), one.room) !=
                       effect.except.end();
            });
        if (spared) continue;
        live_.note_command(pid, effect, commands_);
        Result<void, StoreError> done;
        if (effect.ends) done = overlay_->sessions.drop(pid);
        for (const auto& room : effect.joined) {
            if (done) done = overlay_->sessions.join(pid, {room, head});
        }
        for (const auto& room : effect.left) {
            if (done) done = overlay_->sessions.leave(pid, room);
        }
        if (!done) return done;
    }
    return {};
}

}  // namespace oncewire::sequencer
