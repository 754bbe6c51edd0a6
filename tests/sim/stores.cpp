#include "tests/sim/stores.hpp"

namespace oncewire::sim {

using store::CommitOutcome;
using store::StoreError;

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

template <class Statement>
auto FaultyStore::run(Statement statement) -> decltype(statement()) {
    if (crashed_) return Err{StoreError::io};
    if (env_.faults.strikes(Fault::statement_failed, 1, 300)) {
        env_.note("a statement fails");
        faults_.fail_call = 1;
        faults_.fail_call_with = StoreError::io;
    }
    auto outcome = statement();
    if (crashes(Fault::crash_in_transaction, 600)) return Err{StoreError::io};
    return outcome;
}

Millis FaultyStore::commit_time() {
    return env_.faults.strikes(Fault::slow_disk, 1, 12)
               ? env_.choices.long_tailed("slow commit", 100, 10'000)
               : env_.choices.delay("commit", 0, 4);
}

Result<void, StoreError> FaultyStore::begin() {
    if (crashes(Fault::crash_before_begin, 150)) return Err{StoreError::io};
    draw_outage();
    return memory_.begin();
}

CommitOutcome FaultyStore::commit() {
    if (crashes(Fault::crash_before_commit, 120)) return CommitOutcome::unknown;
    using Commit = store::MemoryFaults::Commit;
    if (env_.faults.strikes(Fault::commit_lost, 1, 40)) {
        faults_.next_commit = Commit::fails_and_vanishes;
    } else if (env_.faults.strikes(Fault::commit_ghost, 1, 40)) {
        faults_.next_commit = Commit::fails_and_lands;
    }
    const CommitOutcome outcome = memory_.commit();
    env_.note(
        outcome == CommitOutcome::committed ? "commit, {} entries" : "commit failed, {} entries",
        disk_.tables.log.size());
    env_.witness.look_at_disk(disk_);
    return crashes(Fault::crash_after_commit, 120) ? CommitOutcome::unknown : outcome;
}

Result<void, StoreError> FaultyStore::reopen() {
    if (crashed_) return Err{StoreError::io};
    faults_.reopen.reset();
    if (env_.faults.strikes(Fault::reopen_failed, 1, 3)) faults_.reopen = StoreError::io;
    return memory_.reopen();
}

Result<delivery::Offset, StoreError> FaultyStore::append(const store::LogEntry& entry) {
    return run([&] { return memory_.append(entry); });
}

Result<std::optional<store::ProducerRow>, StoreError> FaultyStore::find_producer(
    const ProducerId& id) {
    return run([&] { return memory_.find_producer(id); });
}

Result<void, StoreError> FaultyStore::put_producer(const store::ProducerRow& row) {
    return run([&] { return memory_.put_producer(row); });
}

Result<std::optional<store::StoredVerdict>, StoreError> FaultyStore::find_verdict(
    const ProducerId& id, delivery::Sequence sequence) {
    return run([&] { return memory_.find_verdict(id, sequence); });
}

Result<void, StoreError> FaultyStore::put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                  const store::StoredVerdict& verdict) {
    return run([&] { return memory_.put_verdict(id, sequence, verdict); });
}

Result<std::vector<ProducerId>, StoreError> FaultyStore::idle_producers(UnixMillis until,
                                                                        std::uint32_t count) {
    return run([&] { return memory_.idle_producers(until, count); });
}

Result<void, StoreError> FaultyStore::renew_producer(const ProducerId& id, UnixMillis now) {
    return run([&] { return memory_.renew_producer(id, now); });
}

/// A few at a time, so that somebody comes back half forgotten.
Result<store::Store::Forgotten, StoreError> FaultyStore::forget_verdicts(const ProducerId& id,
                                                                         std::uint32_t count) {
    if (env_.choices.chance("forgets slowly", 1, 4)) count = 1;
    auto forgotten = run([&] { return memory_.forget_verdicts(id, count); });
    if (forgotten) env_.faults.count(Fault::lease_ended);
    return forgotten;
}

Result<void, StoreError> FaultyStore::put_once(std::string_view id, const store::OnceRow& row) {
    return run([&] { return memory_.put_once(id, row); });
}

Result<bool, StoreError> FaultyStore::prepare_digests(const ProducerId& id, std::uint32_t count) {
    auto ready = run([&] { return memory_.prepare_digests(id, count); });
    if (ready && *ready) return !env_.faults.strikes(Fault::put_off, 1, 4);
    return ready;
}

Result<void, StoreError> FaultyStore::put_task(const store::TaskRow& row) {
    return run([&] { return memory_.put_task(row); });
}

Result<void, StoreError> FaultyStore::erase_task(std::uint64_t id) {
    return run([&] { return memory_.erase_task(id); });
}

Result<void, StoreError> FaultyStore::put_question(const store::QuestionRow& row) {
    return run([&] { return memory_.put_question(row); });
}

Result<void, StoreError> FaultyStore::erase_question(std::uint64_t id) {
    return run([&] { return memory_.erase_question(id); });
}

Result<std::vector<store::QuestionRow>, StoreError> FaultyStore::questions_to(
    const ProducerId& recipient, std::uint64_t after, std::uint32_t count) {
    return run([&] { return memory_.questions_to(recipient, after, count); });
}

Result<std::vector<store::QuestionRow>, StoreError> FaultyStore::expiring_questions(
    UnixMillis until, std::uint32_t count) {
    return run([&] { return memory_.expiring_questions(until, count); });
}

Result<store::Store::Trimmed, StoreError> FaultyStore::trim(const store::Retention& retention,
                                                            UnixMillis now,
                                                            std::uint32_t entries_max) {
    auto trimmed = run([&] { return memory_.trim(retention, now, entries_max); });
    if (trimmed && trimmed->entries > 0) {
        env_.note("retention removes {}", trimmed->entries);
        env_.faults.count(Fault::history_trimmed);
    }
    return trimmed;
}

Result<std::vector<store::LogEntry>, StoreError> FaultyStore::read(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    if (crashed_) return Err{StoreError::io};
    faults_.reads.reset();
    if (env_.faults.strikes(Fault::read_failed, 1, 30)) faults_.reads = StoreError::io;
    auto entries = memory_.read(rooms, after, entries_max, bytes_max);
    faults_.reads.reset();
    return entries;
}

Result<std::optional<store::SessionRow>, StoreError> FaultyStore::find_session(
    std::string_view pid) {
    return run([&] { return memory_.find_session(pid); });
}

Result<void, StoreError> FaultyStore::put_session(const store::SessionRow& row) {
    return run([&] { return memory_.put_session(row); });
}

Result<void, StoreError> FaultyStore::leave_session(std::string_view pid, std::string_view room) {
    return run([&] { return memory_.leave_session(pid, room); });
}

Result<void, StoreError> FaultyStore::record(const store::RecordedEvent& event) {
    return run([&] { return memory_.record(event); });
}

Result<std::vector<store::RecordedEvent>, StoreError> FaultyStore::read_recorded(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    if (crashed_) return Err{StoreError::io};
    return memory_.read_recorded(rooms, after, entries_max, bytes_max);
}

// ---- MutantStore --------------------------------------------------------------------------------

bool MutantStore::keeps_dedupe_back() const {
    return env_.mutant == Mutant::dedupe_in_memory || env_.mutant == Mutant::dedupe_committed_apart;
}

Result<void, StoreError> MutantStore::begin() {
    if (std::exchange(commit_owed_, false)) (void)behind_.commit();
    return behind_.begin();
}

CommitOutcome MutantStore::commit() {
    if (env_.mutant == Mutant::ack_before_commit) {
        commit_owed_ = true;
        return CommitOutcome::committed;
    }
    if (env_.mutant == Mutant::no_fsync) {
        synced_.push_back(disk_);
        if (synced_.size() > 3) synced_.erase(synced_.begin());
    }
    const CommitOutcome outcome = behind_.commit();
    mistaken_.insert(mistaken_.end(), late_questions_.begin(), late_questions_.end());
    late_questions_.clear();
    Dedupe changes = std::exchange(changes_, {});
    if (outcome == CommitOutcome::committed) {
        if (env_.mutant == Mutant::dedupe_committed_apart) commit_apart(changes);
        for (auto& [id, row] : changes.rows) kept_.rows[id] = std::move(row);
        for (auto& [key, verdict] : changes.verdicts) kept_.verdicts[key] = std::move(verdict);
    }
    if (env_.mutant == Mutant::failed_commit_says_yes && outcome == CommitOutcome::unknown) {
        (void)behind_.reopen();
        return CommitOutcome::committed;
    }
    return outcome;
}

void MutantStore::commit_apart(const Dedupe& changes) {
    if (!behind_.begin()) return;
    for (const auto& [id, row] : changes.rows) (void)behind_.put_producer(row);
    for (const auto& [key, verdict] : changes.verdicts) {
        (void)behind_.put_verdict(key.first, key.second, verdict);
    }
    if (behind_.commit() == CommitOutcome::unknown) (void)behind_.reopen();
}

void MutantStore::rollback() {
    changes_ = {};
    late_questions_.clear();
    behind_.rollback();
}

void MutantStore::lose_unsynced() {
    if (!synced_.empty()) disk_ = synced_.front();
}

Result<delivery::Offset, StoreError> MutantStore::append(const store::LogEntry& entry) {
    if (env_.mutant == Mutant::published_before_commit) appended_.push_back(entry);
    auto before = behind_.append(entry);
    if (before && env_.mutant == Mutant::links_not_told) before = delivery::Offset{0};
    return before;
}

Result<std::optional<store::ProducerRow>, StoreError> MutantStore::find_producer(
    const ProducerId& id) {
    for (const auto* dedupe : {&changes_, &kept_}) {
        const auto found = dedupe->rows.find(id);
        if (found != dedupe->rows.end()) return std::optional(found->second);
    }
    auto row = behind_.find_producer(id);
    if (!row || !*row) return row;
    if (env_.mutant == Mutant::mark_ahead) ++(*row)->seen.last;
    const bool is_away = (*row)->last_contact.value + 10'000 < wall_clock_.value;
    const bool is_forgotten = (*row)->forgotten > 0 && (*row)->forgotten == (*row)->seen.last;
    if ((env_.mutant == Mutant::producer_forgotten && is_away) ||
        (env_.mutant == Mutant::producer_ends_with_lease && is_forgotten)) {
        row->reset();
    }
    return row;
}

Result<std::vector<ProducerId>, StoreError> MutantStore::idle_producers(UnixMillis until,
                                                                        std::uint32_t count) {
    if (env_.mutant == Mutant::lease_ends_early) until.value += 1'000;
    return behind_.idle_producers(until, count);
}

Result<void, StoreError> MutantStore::renew_producer(const ProducerId& id, UnixMillis now) {
    if (env_.mutant != Mutant::lease_ends_while_there) return behind_.renew_producer(id, now);
    const auto forgotten = behind_.forget_verdicts(id, UINT32_MAX);
    if (!forgotten) return Err{forgotten.error()};
    return {};
}

Result<void, StoreError> MutantStore::put_producer(const store::ProducerRow& row) {
    if (env_.mutant == Mutant::user_not_kept) {
        store::ProducerRow anybodys = row;
        anybodys.user.clear();
        return behind_.put_producer(anybodys);
    }
    if (!keeps_dedupe_back()) return behind_.put_producer(row);
    changes_.rows[row.identity.id] = row;
    return {};
}

Result<std::optional<store::StoredVerdict>, StoreError> MutantStore::find_verdict(
    const ProducerId& id, delivery::Sequence sequence) {
    for (const auto* dedupe : {&changes_, &kept_}) {
        const auto found = dedupe->verdicts.find({id, sequence});
        if (found != dedupe->verdicts.end()) return std::optional(found->second);
    }
    if (env_.mutant == Mutant::verdict_forgotten) return std::optional<store::StoredVerdict>();
    return behind_.find_verdict(id, sequence);
}

Result<void, StoreError> MutantStore::put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                  const store::StoredVerdict& verdict) {
    if (!keeps_dedupe_back()) return behind_.put_verdict(id, sequence, verdict);
    changes_.verdicts[{id, sequence}] = verdict;
    return {};
}

Result<std::optional<store::StoredVerdict>, StoreError> MutantStore::find_verdict_by_digest(
    const ProducerId& id, delivery::Digest digest) {
    // Knowing a message by its digest hides what a host does that sends what storage does not know.
    // And that a verdict is not read back: its message is known by its digest, too.
    if (env_.mutant == Mutant::replacement_not_saved || env_.mutant == Mutant::verdict_forgotten ||
        keeps_dedupe_back()) {
        return std::optional<store::StoredVerdict>();
    }
    return behind_.find_verdict_by_digest(id, digest);
}

Result<void, StoreError> MutantStore::undo() {
    if (env_.mutant == Mutant::handler_effects_kept) return {};
    auto undone = behind_.undo();
    if (undone && env_.mutant == Mutant::question_ended_apart) {
        for (const auto id : ended_questions_) (void)behind_.erase_question(id);
    }
    return undone;
}

Result<void, StoreError> MutantStore::mark() {
    ended_questions_.clear();
    return behind_.mark();
}

/// Forgotten: as a task is.
Result<void, StoreError> MutantStore::put_question(const store::QuestionRow& row) {
    if (env_.mutant == Mutant::asked_before_commit) mistaken_.push_back(row);
    auto put = behind_.put_question(row);
    if (put && env_.mutant == Mutant::question_forgotten) return behind_.erase_question(row.id);
    return put;
}

Result<void, StoreError> MutantStore::erase_question(std::uint64_t id) {
    ended_questions_.push_back(id);
    const auto row = disk_.tables.questions.find(id);
    if (env_.mutant == Mutant::asked_when_over && row != disk_.tables.questions.end())
        late_questions_.push_back(row->second);
    if (env_.mutant == Mutant::question_kept) return {};
    return behind_.erase_question(id);
}

/// Forgotten: it is stored and erased in one go, so that its number is used.
Result<void, StoreError> MutantStore::put_task(const store::TaskRow& row) {
    if (env_.mutant == Mutant::task_before_commit) deferred_.push_back(row);
    auto put = behind_.put_task(row);
    if (put && env_.mutant == Mutant::task_forgotten) return behind_.erase_task(row.id);
    return put;
}

Result<store::Store::Trimmed, StoreError> MutantStore::trim(const store::Retention& retention,
                                                            UnixMillis now,
                                                            std::uint32_t entries_max) {
    auto trimmed = behind_.trim(retention, now, entries_max);
    if (env_.mutant == Mutant::trimmed_too_far && trimmed && trimmed->entries > 0) {
        for (auto& [room, offset] : disk_.tables.trimmed) offset = disk_.tables.log.size();
    }
    return trimmed;
}

Result<void, StoreError> MutantStore::put_once(std::string_view id, const store::OnceRow& row) {
    if (env_.mutant == Mutant::once_forgotten) return {};
    return behind_.put_once(id, row);
}

Result<std::vector<store::LogEntry>, StoreError> MutantStore::read(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    constexpr delivery::Offset kept = 20;
    const auto newest = behind_.head().offset;
    if (env_.mutant == Mutant::history_cut && after + kept < newest) after = newest - kept;
    auto entries = behind_.read(rooms, after, entries_max, bytes_max);
    if (!entries || env_.mutant != Mutant::links_not_told) return entries;
    for (auto& entry : *entries) entry.before = 0;
    return entries;
}

// What recovery keeps.

Result<std::optional<store::SessionRow>, StoreError> MutantStore::find_session(
    std::string_view pid) {
    const auto late = late_.find(pid);
    if (late != late_.end()) return std::optional(late->second);
    auto row = behind_.find_session(pid);
    const bool ageless = env_.mutant == Mutant::recovered_after_window;
    if (ageless && row && *row) (*row)->seen_at = {std::int64_t{1} << 50};
    return row;
}

Result<void, StoreError> MutantStore::put_session(const store::SessionRow& row) {
    if (env_.mutant == Mutant::session_forgotten && env_.choices.chance("forget", 1, 5)) return {};
    if (env_.mutant != Mutant::session_row_late) return behind_.put_session(row);
    for (const auto& [pid, late] : std::exchange(late_, {})) (void)behind_.put_session(late);
    late_[row.pid] = row;
    return {};
}

Result<void, StoreError> MutantStore::join_session(std::string_view pid,
                                                   const store::Membership& room) {
    if (env_.mutant == Mutant::rooms_not_kept) return {};
    return behind_.join_session(pid, room);
}

Result<void, StoreError> MutantStore::leave_session(std::string_view pid, std::string_view room) {
    if (env_.mutant == Mutant::left_rooms_kept) return {};
    return behind_.leave_session(pid, room);
}

Result<void, StoreError> MutantStore::drop_sessions_unseen_since(UnixMillis before) {
    if (env_.mutant == Mutant::recovered_after_window) return {};
    return behind_.drop_sessions_unseen_since(before);
}

Result<void, StoreError> MutantStore::record(const store::RecordedEvent& event) {
    if (env_.mutant != Mutant::event_not_recorded || !env_.choices.chance("unheard", 1, 10))
        return behind_.record(event);
    store::RecordedEvent unheard = event;
    unheard.rooms = {"/,nobody"};
    return behind_.record(unheard);
}

Result<store::Pruned, StoreError> MutantStore::pruned() {
    const bool lies =
        env_.mutant == Mutant::recovered_after_window || env_.mutant == Mutant::dropped_silently;
    return lies ? Result<store::Pruned, StoreError>(store::Pruned()) : behind_.pruned();
}

// ---- who reads apart ----------------------------------------------------------------------------

Result<store::LogHead, store::StoreError> DiskReading::look() {
    if (env_.faults.strikes(Fault::read_failed, 1, 20)) return Err{store::StoreError::io};
    if (const auto looked = store_.reopen(); !looked) return Err{looked.error()};
    return OwnReading::look();
}

}  // namespace oncewire::sim
