#include "tests/sim/stores.hpp"

#include <algorithm>

namespace oncewire::sim {

using store::Batch;
using store::Facts;
using store::StoreError;
using store::Wanted;
using store::WriteOutcome;
using store::Written;

// ---- FaultyStore --------------------------------------------------------------------------------

FaultyStore::FaultyStore(Env& env, store::MemoryDisk& disk)
    : StoreInFront(memory_), env_(env), disk_(disk), memory_(disk, &faults_) {}

bool FaultyStore::crashes(Fault fault, std::uint32_t denominator) {
    if (!crashed_ && env_.faults.strikes(fault, 1, denominator)) {
        env_.note(fault_name(fault));
        crashed_ = true;
    }
    return crashed_;
}

/// The disk is full, or somebody holds the lock, for a while.
void FaultyStore::draw_outage() {
    if (faults_.writes && env_.now() < writes_fail_until_) return;
    faults_.writes.reset();
    for (const auto fault : {Fault::store_full, Fault::store_busy}) {
        if (!env_.faults.strikes(fault, 1, 60)) continue;
        faults_.writes = fault == Fault::store_full ? StoreError::full : StoreError::busy;
        writes_fail_until_ = env_.now() + env_.choices.long_tailed("outage", 200, 20'000);
        env_.note(fault_name(fault));
    }
}

void FaultyStore::draw_fate() {
    using Commit = store::MemoryFaults::Commit;
    if (env_.faults.strikes(Fault::commit_lost, 1, 40)) {
        faults_.next_commit = Commit::fails_and_vanishes;
    } else if (env_.faults.strikes(Fault::commit_ghost, 1, 40)) {
        faults_.next_commit = Commit::fails_and_lands;
    }
}

Millis FaultyStore::commit_time() {
    return env_.faults.strikes(Fault::slow_disk, 1, 12)
               ? env_.choices.long_tailed("slow commit", 100, 10'000)
               : env_.choices.delay("commit", 0, 4);
}

Result<Facts, StoreError> FaultyStore::fetch(const Wanted& wanted) {
    if (crashed_) return Err{StoreError::io};
    if (env_.faults.strikes(Fault::statement_failed, 1, 300)) {
        env_.note("a statement fails");
        faults_.fail_call = 1;
        faults_.fail_call_with = StoreError::io;
    }
    auto facts = memory_.fetch(wanted);
    if (crashes(Fault::crash_in_transaction, 600)) return Err{StoreError::io};
    if (!facts) return facts;
    for (auto& known : facts->digests) {
        if (env_.faults.strikes(Fault::put_off, 1, 4)) known = {.is_ready = false, .verdict = {}};
    }
    return facts;
}

/// A few at a time, so that somebody comes back half forgotten.
Batch FaultyStore::slowed(const Batch& batch) {
    Batch slow = batch;
    if (!batch.upkeep.forgotten.empty() && env_.choices.chance("forgets slowly", 1, 4))
        slow.upkeep.verdicts_max = 1;
    return slow;
}

Written FaultyStore::write(const Batch& batch) {
    const Written died{.outcome = WriteOutcome::unknown};
    if (crashes(Fault::crash_before_begin, 150)) return died;
    draw_outage();
    if (env_.faults.strikes(Fault::statement_failed, 1, 100)) {
        env_.note("a statement fails");
        faults_.fail_call = 1;
        faults_.fail_call_with = StoreError::io;
    }
    if (crashes(Fault::crash_in_transaction, 200)) return died;
    if (crashes(Fault::crash_before_commit, 120)) {
        if (env_.faults.strikes(Fault::late_write, 1, 2)) late_write_ = {batch, memory_.fence()};
        return died;
    }
    draw_fate();
    const Written written = memory_.write(slowed(batch));
    count(batch, written);
    env_.witness.look_at_disk(disk_);
    return crashes(Fault::crash_after_commit, 120) ? died : written;
}

void FaultyStore::count(const Batch& batch, const Written& written) {
    const bool works = written.outcome == WriteOutcome::committed;
    env_.note(works ? "commit, {} entries" : "commit failed, {} entries", disk_.tables.log.size());
    if (works && !batch.upkeep.forgotten.empty()) env_.faults.count(Fault::lease_ended);
    if (written.trimmed == 0) return;
    env_.note("retention removes {}", written.trimmed);
    env_.faults.count(Fault::history_trimmed);
}

Result<void, StoreError> FaultyStore::reopen() {
    if (crashed_) return Err{StoreError::io};
    faults_.reopen.reset();
    if (env_.faults.strikes(Fault::reopen_failed, 1, 3)) faults_.reopen = StoreError::io;
    return memory_.reopen();
}

Result<std::vector<store::LogEntry>, StoreError> FaultyStore::Reading::read(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    if (store_.crashed_) return Err{StoreError::io};
    auto& faults = store_.faults_;
    faults.reads.reset();
    if (store_.env_.faults.strikes(Fault::read_failed, 1, 30)) faults.reads = StoreError::io;
    auto entries = ReadingInFront::read(rooms, after, entries_max, bytes_max);
    faults.reads.reset();
    return entries;
}

Result<std::vector<store::RecordedEvent>, StoreError> FaultyStore::Reading::read_recorded(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    if (store_.crashed_) return Err{StoreError::io};
    return ReadingInFront::read_recorded(rooms, after, entries_max, bytes_max);
}

// ---- MutantStore: what it says ------------------------------------------------------------------

bool MutantStore::keeps_dedupe_back() const {
    return env_.mutant == Mutant::dedupe_in_memory || env_.mutant == Mutant::dedupe_committed_apart;
}

store::LogHead MutantStore::head() const {
    auto head = behind_.head();
    if (owed_) head.offset = owed_->to;
    return head;
}

Result<Facts, StoreError> MutantStore::fetch(const Wanted& asked) {
    Wanted wanted = asked;
    if (env_.mutant == Mutant::lease_ends_early && wanted.idle_producers)
        wanted.idle_producers->until.value += 1'000;
    auto facts = behind_.fetch(wanted);
    if (!facts) return facts;
    if (env_.mutant == Mutant::facts_stale && stale_) {
        store::MemoryDisk before = *stale_;
        auto stale = store::MemoryStore(before).fetch(wanted);
        facts->producers = std::move(stale->producers);
        facts->once = std::move(stale->once);
    }
    if (env_.mutant == Mutant::links_not_told) {
        for (auto& room : facts->rooms) room.newest = 0;
    }
    lie_about_producers(wanted, *facts);
    lie_about_verdicts(wanted, *facts);
    for (std::size_t i = 0; i < wanted.sessions.size(); ++i)
        facts->sessions[i] = lie_about(wanted.sessions[i], std::move(facts->sessions[i]));
    if (lies_about_pruned()) facts->pruned = {};
    return facts;
}

void MutantStore::lie_about_producers(const Wanted& wanted, Facts& facts) const {
    for (std::size_t i = 0; i < wanted.producers.size(); ++i) {
        auto& row = facts.producers[i];
        const auto kept = kept_.find(wanted.producers[i]);
        if (kept != kept_.end()) row = kept->second.row;
        if (!row || kept != kept_.end()) continue;
        if (env_.mutant == Mutant::mark_ahead) ++row->seen.last;
        const bool is_away = row->last_contact.value + 10'000 < wall_clock_.value;
        const bool is_forgotten = row->forgotten > 0 && row->forgotten == row->seen.last;
        if ((env_.mutant == Mutant::producer_forgotten && is_away) ||
            (env_.mutant == Mutant::producer_ends_with_lease && is_forgotten)) {
            row.reset();
        }
    }
}

void MutantStore::lie_about_verdicts(const Wanted& wanted, Facts& facts) const {
    for (std::size_t i = 0; i < wanted.verdicts.size(); ++i) {
        const auto& [id, sequence] = wanted.verdicts[i];
        if (env_.mutant == Mutant::verdict_forgotten) facts.verdicts[i].reset();
        const auto kept = kept_.find(id);
        if (kept == kept_.end()) continue;
        for (const auto& [number, verdict] : kept->second.verdicts) {
            if (number == sequence) facts.verdicts[i] = verdict;
        }
    }
    // Knowing a message by its digest hides what a host does that sends what storage does not know.
    // And that a verdict is not read back: its message is known by its digest, too.
    if (env_.mutant == Mutant::replacement_not_saved || env_.mutant == Mutant::verdict_forgotten ||
        keeps_dedupe_back()) {
        for (auto& known : facts.digests) known.verdict.reset();
    }
}

std::optional<store::SessionRow> MutantStore::lie_about(
    std::string_view pid, std::optional<store::SessionRow> row) const {
    const auto late = late_.find(pid);
    if (late != late_.end()) return late->second.after;
    if (env_.mutant == Mutant::recovered_after_window && row)
        row->seen_at = {std::int64_t{1} << 50};
    return row;
}

bool MutantStore::lies_about_pruned() const {
    return env_.mutant == Mutant::recovered_after_window || env_.mutant == Mutant::dropped_silently;
}

Result<std::vector<store::LogEntry>, StoreError> MutantStore::Reading::read(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    constexpr delivery::Offset kept = 20;
    const auto mutant = store_.env_.mutant;
    const auto newest = store_.behind_.head().offset;
    if (mutant == Mutant::history_cut && after + kept < newest) after = newest - kept;
    auto entries = ReadingInFront::read(rooms, after, entries_max, bytes_max);
    if (!entries || mutant != Mutant::links_not_told) return entries;
    for (auto& entry : *entries) entry.before = 0;
    return entries;
}

Result<std::optional<store::SessionRow>, StoreError> MutantStore::Reading::find_session(
    std::string_view pid) {
    auto row = ReadingInFront::find_session(pid);
    if (row) row = store_.lie_about(pid, std::move(*row));
    return row;
}

Result<store::Pruned, StoreError> MutantStore::Reading::pruned() {
    return store_.lies_about_pruned() ? Result<store::Pruned, StoreError>(store::Pruned())
                                      : ReadingInFront::pruned();
}

// ---- MutantStore: what it stores ----------------------------------------------------------------

Written MutantStore::write(const Batch& given) {
    if (owed_) (void)behind_.write(*std::exchange(owed_, {}));
    Batch batch = given;
    spoil(batch);
    if (env_.mutant == Mutant::ack_before_commit) {
        owed_ = std::move(batch);
        return {};
    }
    if (env_.mutant == Mutant::no_fsync) {
        synced_.push_back(disk_);
        if (synced_.size() > 3) synced_.erase(synced_.begin());
    }
    if (env_.mutant == Mutant::facts_stale) stale_ = disk_;
    Dedupe kept_back;
    if (keeps_dedupe_back()) kept_back = std::exchange(batch.senders, {});
    return after_commit(behind_.write(batch), std::move(kept_back));
}

Written MutantStore::after_commit(Written written, Dedupe kept_back) {
    const auto late = std::exchange(late_questions_, {});
    if (written.outcome == WriteOutcome::committed) {
        mistaken_.insert(mistaken_.end(), late.begin(), late.end());
        if (env_.mutant == Mutant::dedupe_committed_apart) commit_apart(kept_back);
        for (auto& [id, change] : kept_back) {
            auto& kept = kept_[id];
            if (change.row) kept.row = std::move(change.row);
            kept.verdicts.insert(kept.verdicts.end(), change.verdicts.begin(),
                                 change.verdicts.end());
        }
    }
    if (env_.mutant == Mutant::failed_commit_says_yes && written.outcome == WriteOutcome::unknown) {
        (void)behind_.reopen();
        written.outcome = WriteOutcome::committed;
    }
    return written;
}

void MutantStore::commit_apart(const Dedupe& changes) {
    Batch batch;
    batch.from = behind_.head();
    batch.to = batch.from.offset;
    batch.senders = changes;
    if (behind_.write(batch).outcome == WriteOutcome::unknown) (void)behind_.reopen();
}

void MutantStore::lose_unsynced() {
    if (!synced_.empty()) disk_ = synced_.front();
}

void MutantStore::spoil(Batch& batch) {
    if (env_.mutant == Mutant::links_not_told) tell_befores(batch);
    spoil_senders(batch);
    spoil_sessions(batch);
    note_ended(batch);
    if (env_.mutant == Mutant::once_forgotten) batch.once.clear();
    // Stored and ended in one go, so that their numbers are used.
    if (env_.mutant == Mutant::task_forgotten) {
        for (const auto& row : batch.tasks) batch.ended_tasks.push_back(row.id);
    }
    if (env_.mutant == Mutant::question_forgotten) {
        for (const auto& row : batch.questions)
            batch.ended_questions.push_back({row.id, row.recipient});
    }
    if (env_.mutant == Mutant::question_kept) batch.ended_questions.clear();
    for (auto& event : batch.recorded) {
        if (env_.mutant == Mutant::event_not_recorded && env_.choices.chance("unheard", 1, 10))
            event.rooms = {"/,nobody"};
    }
    if (env_.mutant == Mutant::trimmed_too_far && batch.upkeep.trim) {
        for (auto& [room, offset] : disk_.tables.trimmed) offset = disk_.tables.head();
    }
}

/// They were told wrong, but the log is right.
void MutantStore::tell_befores(Batch& batch) const {
    std::map<std::string, delivery::Offset> newest;
    for (auto& entry : batch.entries) {
        const auto known = disk_.tables.rooms.find(entry.room);
        if (known != disk_.tables.rooms.end()) newest.emplace(entry.room, known->second.back());
        entry.before = std::exchange(newest[entry.room], entry.offset);
    }
}

void MutantStore::spoil_senders(Batch& batch) {
    for (auto& [id, change] : batch.senders) {
        if (env_.mutant == Mutant::user_not_kept && change.row) change.row->user.clear();
    }
    if (env_.mutant != Mutant::lease_ends_while_there) return;
    for (const auto& [id, now] : std::exchange(batch.upkeep.renewed, {}))
        batch.upkeep.forgotten.push_back(id);
}

void MutantStore::spoil_sessions(Batch& batch) {
    for (auto& [pid, change] : batch.sessions) {
        if (!change.after) continue;
        auto& rooms = change.after->rooms;
        if (!change.before) continue;
        const auto& old = change.before->rooms;
        const auto is_new = [&old](const store::Membership& room) {
            return std::find(old.begin(), old.end(), room) == old.end();
        };
        if (env_.mutant == Mutant::rooms_not_kept) std::erase_if(rooms, is_new);
        if (env_.mutant == Mutant::left_rooms_kept) rooms = old;
    }
    if (env_.mutant == Mutant::session_forgotten) {
        std::erase_if(batch.sessions, [this](const auto& each) {
            return each.second.after && env_.choices.chance("forget", 1, 5);
        });
    }
    if (env_.mutant == Mutant::session_row_late && !batch.sessions.empty())
        std::swap(late_, batch.sessions);
    if (env_.mutant == Mutant::recovered_after_window) batch.upkeep.drop_unseen_before.reset();
}

void MutantStore::note_ended(const Batch& batch) {
    if (env_.mutant != Mutant::asked_when_over) return;
    for (const auto& ended : batch.ended_questions) {
        const auto row = disk_.tables.questions.find(ended.id);
        if (row != disk_.tables.questions.end()) late_questions_.push_back(row->second);
    }
}

// ---- MutantOverlay ------------------------------------------------------------------------------

void MutantOverlay::mark() {
    marked_ended_ = batch().ended_questions.size();
    Overlay::mark();
}

Result<void, StoreError> MutantOverlay::undo() {
    if (env_.mutant == Mutant::handler_effects_kept) return {};
    const auto ended = batch().ended_questions;
    auto undone = Overlay::undo();
    if (undone && env_.mutant == Mutant::question_ended_apart) {
        for (auto i = marked_ended_; i < ended.size(); ++i)
            questions.end(ended[i].id, ended[i].recipient);
    }
    return undone;
}

std::vector<store::LogEntry> MutantOverlay::take_appended() {
    std::vector<store::LogEntry> taken;
    if (env_.mutant != Mutant::published_before_commit) return taken;
    for (const auto& entry : batch().entries) {
        if (entry.offset > appended_to_) taken.push_back(entry);
    }
    appended_to_ = batch().to;
    return taken;
}

std::vector<store::TaskRow> MutantOverlay::take_deferred() {
    std::vector<store::TaskRow> taken;
    if (env_.mutant != Mutant::task_before_commit) return taken;
    for (const auto& row : batch().tasks) {
        if (row.id > deferred_to_) taken.push_back(row);
    }
    deferred_to_ = tasks.last();
    return taken;
}

std::vector<store::QuestionRow> MutantOverlay::take_asked() {
    std::vector<store::QuestionRow> taken;
    if (env_.mutant != Mutant::asked_before_commit) return taken;
    for (const auto& row : batch().questions) {
        if (row.id > asked_to_) taken.push_back(row);
    }
    asked_to_ = questions.last();
    return taken;
}

// ---- who reads apart ----------------------------------------------------------------------------

Result<store::LogHead, StoreError> DiskReading::look() {
    if (env_.faults.strikes(Fault::read_failed, 1, 20)) return Err{StoreError::io};
    return MemoryReading::look();
}

}  // namespace oncewire::sim
