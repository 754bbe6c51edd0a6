#include "server/store/memory/memory_store.hpp"

#include <algorithm>
#include <utility>

namespace oncewire::store {
namespace {

template <class Map, class Key>
auto find_in(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
    const auto found = map.find(key);
    if (found == map.end()) return std::nullopt;
    return found->second;
}

template <class Rows>
void cut_to(Rows& rows, std::size_t count_max) {
    if (rows.size() > count_max) rows.resize(count_max);
}

}  // namespace

MemoryStore::MemoryStore(MemoryDisk& disk, MemoryFaults* faults) : disk_(disk), faults_(faults) {
    load();
}

/// Opening makes this the writer.
void MemoryStore::load() {
    fence_ = ++disk_.fence;
    head_ = disk_.head();
    numbers_ = {disk_.tables.last_task, disk_.tables.last_question};
}

Result<void, StoreError> MemoryStore::reopen() {
    needs_reopen_ = true;
    if (faults_ && faults_->reopen) return Err{*faults_->reopen};
    needs_reopen_ = false;
    load();
    return {};
}

/// Why this call must fail, if it must.
std::optional<StoreError> MemoryStore::fault(Call call) {
    if (needs_reopen_) return StoreError::io;
    if (!faults_) return std::nullopt;
    if (faults_->fail_call > 0 && --faults_->fail_call == 0) return faults_->fail_call_with;
    return call == Call::write ? faults_->writes : faults_->reads;
}

Written MemoryStore::write(const Batch& batch) {
    if (const auto error = fault(Call::write))
        return {.outcome = WriteOutcome::refused, .error = *error};
    using Commit = MemoryFaults::Commit;
    const Commit fate =
        faults_ ? std::exchange(faults_->next_commit, Commit::works) : Commit::works;
    Written written;
    if (fate != Commit::fails_and_vanishes) written = disk_.write(batch, fence_);
    if (fate == Commit::works || written.outcome == WriteOutcome::moved) {
        if (written.outcome == WriteOutcome::committed) {
            head_.offset = batch.to;
            numbers_ = {disk_.tables.last_task, disk_.tables.last_question};
        }
        return written;
    }
    needs_reopen_ = true;
    return {.outcome = WriteOutcome::unknown};
}

// ---- what is asked ------------------------------------------------------------------------------

Result<Facts, StoreError> MemoryStore::fetch(const Wanted& wanted) {
    if (const auto error = fault(Call::read)) return Err{*error};
    Facts facts;
    fetch_log(wanted, facts);
    fetch_senders(wanted, facts);
    fetch_questions(wanted, facts);
    fetch_sessions(wanted, facts);
    fetch_due(wanted, facts);
    return facts;
}

void MemoryStore::fetch_log(const Wanted& wanted, Facts& facts) const {
    for (const auto& room : wanted.rooms) {
        const auto offsets = find_in(disk_.tables.rooms, room);
        facts.rooms.push_back(offsets ? RoomHead{offsets->size(), offsets->back()} : RoomHead());
    }
    MemoryReading reading(disk_);
    for (const auto& [room, offset] : wanted.entries)
        facts.entries.push_back(*reading.find_entry(room, offset));
    for (const auto& key : wanted.once) facts.once.push_back(find_once(key));
}

std::vector<OnceRow> MemoryStore::find_once(const Wanted::OnceKey& key) const {
    std::vector<OnceRow> rows;
    bool scope_found = false;
    bool body_found = false;
    for (const OnceRow& row : find_in(disk_.tables.once, key.id).value_or(rows)) {
        const bool decides = rows.empty() || (!scope_found && row.scope == key.scope) ||
                             (!body_found && row.body == key.body);
        scope_found = scope_found || row.scope == key.scope;
        body_found = body_found || row.body == key.body;
        if (decides) rows.push_back(row);
    }
    return rows;
}

void MemoryStore::fetch_senders(const Wanted& wanted, Facts& facts) const {
    for (const auto& id : wanted.producers)
        facts.producers.push_back(find_in(disk_.tables.producers, id));
    for (const auto& [id, sequence] : wanted.verdicts) {
        const auto rows = disk_.tables.verdicts.find(id);
        facts.verdicts.push_back(
            rows == disk_.tables.verdicts.end() ? std::nullopt : find_in(rows->second, sequence));
    }
    for (const auto& key : wanted.digests) facts.digests.push_back({true, find_by_digest(key)});
}

/// It looks through all of them.
std::optional<StoredVerdict> MemoryStore::find_by_digest(const Wanted::DigestKey& key) const {
    const auto rows = disk_.tables.verdicts.find(key.producer);
    if (rows == disk_.tables.verdicts.end()) return std::nullopt;
    for (const auto& [sequence, verdict] : rows->second) {
        if (verdict.digest == key.digest) return verdict;
    }
    return std::nullopt;
}

void MemoryStore::fetch_questions(const Wanted& wanted, Facts& facts) const {
    const auto& questions = disk_.tables.questions;
    for (const auto& key : wanted.questions) {
        const auto found = std::find_if(questions.begin(), questions.end(),
                                        [&](const auto& each) { return each.second.key == key; });
        facts.questions.push_back(found == questions.end() ? std::nullopt
                                                           : std::optional(found->second));
    }
    for (const auto& [recipient, after, count_max] : wanted.questions_to) {
        auto& rows = facts.questions_to.emplace_back();
        for (auto next = questions.upper_bound(after); next != questions.end(); ++next) {
            if (next->second.recipient == recipient) rows.push_back(next->second);
        }
        cut_to(rows, count_max);
    }
    for (const auto& recipient : wanted.question_counts) {
        facts.question_counts.push_back(static_cast<std::uint32_t>(
            std::count_if(questions.begin(), questions.end(),
                          [&](const auto& each) { return each.second.recipient == recipient; })));
    }
}

void MemoryStore::fetch_sessions(const Wanted& wanted, Facts& facts) const {
    const auto& sessions = disk_.tables.sessions;
    for (const auto& pid : wanted.sessions) facts.sessions.push_back(find_in(sessions.rows, pid));
    for (const auto& [pid, row] : sessions.rows) {
        if (is_in_any(row, wanted.members_of)) facts.members.push_back(pid);
    }
    if (wanted.pruned) facts.pruned = sessions.pruned;
}

void MemoryStore::fetch_due(const Wanted& wanted, Facts& facts) const {
    if (wanted.tasks) {
        const auto& tasks = disk_.tables.tasks;
        for (auto row = tasks.upper_bound(wanted.tasks->after); row != tasks.end(); ++row)
            facts.tasks.push_back(row->second);
        cut_to(facts.tasks, wanted.tasks->count_max);
    }
    if (const auto& due = wanted.expiring_questions) {
        for (const auto& [id, row] : disk_.tables.questions) {
            if (row.expires_at.value <= due->until.value) facts.expiring_questions.push_back(row);
        }
        std::stable_sort(facts.expiring_questions.begin(), facts.expiring_questions.end(),
                         [](const QuestionRow& a, const QuestionRow& b) {
                             return a.expires_at.value < b.expires_at.value;
                         });
        cut_to(facts.expiring_questions, due->count_max);
    }
    if (const auto& due = wanted.idle_producers) {
        std::vector<std::pair<std::int64_t, ProducerId>> idle;  // by the last contact
        for (const auto& [id, row] : disk_.tables.producers) {
            const bool has_verdicts = row.forgotten < row.seen.last;
            if (has_verdicts && row.last_contact.value <= due->until.value)
                idle.emplace_back(row.last_contact.value, id);
        }
        std::sort(idle.begin(), idle.end());
        for (auto& [contact, id] : idle) facts.idle_producers.push_back(std::move(id));
        if (facts.idle_producers.size() > due->count_max)
            facts.idle_producers.erase(facts.idle_producers.begin() + due->count_max,
                                       facts.idle_producers.end());
    }
}

// ---- reading, and what it does not have ---------------------------------------------------------

Result<LogHead, StoreError> MemoryStore::OwnReading::look() {
    if (store_.needs_reopen_) return Err{StoreError::io};
    return MemoryReading::look();
}

Result<std::vector<LogEntry>, StoreError> MemoryStore::OwnReading::read(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    if (const auto error = store_.fault(Call::read)) return Err{*error};
    return MemoryReading::read(rooms, after, entries_max, bytes_max);
}

Result<void, std::string> MemoryStore::NoTables::prepare(const std::vector<SchemaPart>& parts) {
    if (parts.empty()) return {};
    return Err{std::string("a store in memory keeps no tables for applications")};
}

Result<std::vector<SqlRow>, SqlError> MemoryStore::NoTables::run(std::string_view,
                                                                 const std::vector<SqlValue>&) {
    return Err{SqlError{std::nullopt, false, "a store in memory keeps no tables for applications"}};
}

}  // namespace oncewire::store
