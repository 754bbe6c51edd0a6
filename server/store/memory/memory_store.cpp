// VERIFY here: the sequencer begins, writes and ends in order, whatever a peer makes it write.
#include "server/store/memory/memory_store.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::store {
namespace {

template <class Map, class Key>
const typename Map::mapped_type* find_in(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

template <class Rows>
void append_rows(Rows& to, Rows& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// The first entry that is not before `offset`. Offsets of recorded events are no places in the log.
template <class Log>
auto find_at(Log& log, delivery::Offset offset) {
    return std::lower_bound(
        log.begin(), log.end(), offset,
        [](const LogEntry& one, delivery::Offset wanted) { return one.offset < wanted; });
}

}  // namespace

void MemoryTables::apply(MemoryTables changes) {
    append_rows(log, changes.log);
    for (auto& [name, offsets] : changes.rooms) append_rows(rooms[name], offsets);
    for (const auto& [id, row] : changes.producers) producers[id] = row;
    for (auto& [id, rows] : changes.verdicts) {
        for (auto& [sequence, verdict] : rows) verdicts[id][sequence] = std::move(verdict);
    }
    for (const auto& [id, row] : changes.producers) {
        const auto rows = verdicts.find(id);
        if (rows == verdicts.end()) continue;
        rows->second.erase(rows->second.begin(), rows->second.upper_bound(row.forgotten));
    }
    for (auto& [id, rows] : changes.once) append_rows(once[id], rows);
    if (changes.sessions) sessions = std::move(changes.sessions);
    for (auto& [id, row] : changes.tasks) tasks[id] = std::move(row);
    last_task = std::max(last_task, changes.last_task);
    for (const auto id : changes.erased_tasks) tasks.erase(id);
    for (auto& [id, row] : changes.questions) questions[id] = std::move(row);
    last_question = std::max(last_question, changes.last_question);
    for (const auto id : changes.erased_questions) questions.erase(id);
    for (const auto& [room, offset] : changes.trimmed) trimmed[room] = offset;
    for (auto& [offset, data] : changes.rewritten) find_at(log, offset)->data = std::move(data);
}

MemoryStore::MemoryStore(MemoryDisk& disk, MemoryFaults* faults) : disk_(disk), faults_(faults) {
    load_head();
}

LogHead MemoryStore::head() const { return {committed_.epoch, head_}; }

Result<void, StoreError> MemoryStore::begin() {
    VERIFY(!in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    in_transaction_ = true;
    marked_ = {};
    marked_head_ = head_;
    return {};
}

CommitOutcome MemoryStore::commit() {
    VERIFY(in_transaction_);
    using Commit = MemoryFaults::Commit;
    const Commit fate =
        faults_ ? std::exchange(faults_->next_commit, Commit::works) : Commit::works;
    const bool lands = !broken_ && fate != Commit::fails_and_vanishes;
    const bool works = lands && fate == Commit::works;
    for (const auto& [id, rows] : changes_.verdicts) {
        VERIFY(broken_ || changes_.producers.count(id) + disk_.tables.producers.count(id) > 0);
    }

    in_transaction_ = false;
    MemoryTables changes = std::exchange(changes_, {});
    if (lands) disk_.tables.apply(std::move(changes));
    if (works) {
        load_head();
        return CommitOutcome::committed;
    }
    head_ = committed_.offset;
    broken_ = StoreError::io;
    needs_reopen_ = true;
    return CommitOutcome::unknown;
}

void MemoryStore::rollback() {
    changes_ = {};
    head_ = committed_.offset;
    in_transaction_ = false;
    if (!needs_reopen_) broken_.reset();
}

Result<void, StoreError> MemoryStore::reopen() {
    rollback();
    broken_ = faults_ ? faults_->reopen : std::nullopt;
    needs_reopen_ = broken_.has_value();
    if (broken_) return Err{*broken_};
    load_head();
    return {};
}

Result<delivery::Offset, StoreError> MemoryStore::append(const LogEntry& entry) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    VERIFY(entry.offset == head().offset + 1);
    VERIFY(entry.room_seq == stored_in_room(entry.room) + 1);
    LogEntry& added = changes_.log.emplace_back(entry);
    added.before = newest_in_room(entry.room);
    changes_.rooms[entry.room].push_back(entry.offset);
    head_ = entry.offset;
    return added.before;
}

Result<std::uint64_t, StoreError> MemoryStore::next_room_seq(std::string_view room) {
    if (const auto error = fault(Call::read)) return Err{*error};
    return stored_in_room(room) + 1;
}

Result<std::optional<LogEntry>, StoreError> MemoryStore::find_entry(std::string_view room,
                                                                    delivery::Offset offset) {
    if (const auto error = fault(Call::read)) return Err{*error};
    std::optional<LogEntry> found;
    for (const MemoryTables* tables : oldest_first()) {
        const auto entry = find_at(tables->log, offset);
        const bool is_it = entry != tables->log.end() && entry->offset == offset;
        if (is_it && entry->room == room && offset > trimmed_in(room)) found = as_kept(*entry);
    }
    return found;
}

Result<bool, StoreError> MemoryStore::rewrite(std::string_view room, delivery::Offset offset,
                                              std::string_view data) {
    VERIFY(in_transaction_);
    const auto found = find_entry(room, offset);
    if (!found) return Err{found.error()};
    if (const auto error = fault(Call::write)) return Err{*error};
    if (*found) changes_.rewritten[offset] = data;
    return found->has_value();
}

Result<bool, StoreError> MemoryStore::erase_traces() {
    VERIFY(!in_transaction_);
    return true;
}

Result<std::optional<ProducerRow>, StoreError> MemoryStore::find_producer(const ProducerId& id) {
    if (const auto error = fault(Call::read)) return Err{*error};
    const ProducerRow* row = producer(id);
    return row ? std::optional(*row) : std::nullopt;
}

/// As the open transaction leaves it; null if there is none.
const ProducerRow* MemoryStore::producer(const ProducerId& id) const {
    for (const MemoryTables* tables : newest_first()) {
        if (const auto* row = find_in(tables->producers, id)) return row;
    }
    return nullptr;
}

Result<void, StoreError> MemoryStore::put_producer(const ProducerRow& row) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    changes_.producers[row.identity.id] = row;
    return {};
}

Result<std::optional<StoredVerdict>, StoreError> MemoryStore::find_verdict(
    const ProducerId& id, delivery::Sequence sequence) {
    if (const auto error = fault(Call::read)) return Err{*error};
    const ProducerRow* row = producer(id);
    if (row && sequence <= row->forgotten) return std::optional<StoredVerdict>();
    for (const MemoryTables* tables : newest_first()) {
        const auto* rows = find_in(tables->verdicts, id);
        const auto* verdict = rows ? find_in(*rows, sequence) : nullptr;
        if (verdict) return std::optional(*verdict);
    }
    return std::optional<StoredVerdict>();
}

/// It looks through all of them.
Result<bool, StoreError> MemoryStore::prepare_digests(const ProducerId&, std::uint32_t) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    return true;
}

Result<std::optional<StoredVerdict>, StoreError> MemoryStore::find_verdict_by_digest(
    const ProducerId& id, delivery::Digest digest) {
    if (const auto error = fault(Call::read)) return Err{*error};
    const ProducerRow* row = producer(id);
    for (const MemoryTables* tables : newest_first()) {
        const auto* rows = find_in(tables->verdicts, id);
        if (!rows) continue;
        for (const auto& [sequence, verdict] : *rows) {
            if (row && sequence <= row->forgotten) continue;
            if (verdict.digest == digest) return std::optional(verdict);
        }
    }
    return std::optional<StoredVerdict>();
}

Result<void, StoreError> MemoryStore::put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                                  const StoredVerdict& verdict) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    changes_.verdicts[id][sequence] = verdict;
    return {};
}

Result<std::vector<ProducerId>, StoreError> MemoryStore::idle_producers(UnixMillis until,
                                                                        std::uint32_t count_max) {
    if (const auto error = fault(Call::read)) return Err{*error};
    auto all = disk_.tables.producers;
    for (const auto& [id, row] : changes_.producers) all[id] = row;
    std::multimap<std::int64_t, ProducerId> idle;  // by the last contact
    for (const auto& [id, row] : all) {
        const bool has_verdicts = row.forgotten < row.seen.last;
        if (has_verdicts && row.last_contact.value <= until.value)
            idle.emplace(row.last_contact.value, id);
    }
    std::vector<ProducerId> found;
    for (auto& [contact, id] : idle) {
        if (found.size() < count_max) found.push_back(id);
    }
    return found;
}

Result<void, StoreError> MemoryStore::renew_producer(const ProducerId& id, UnixMillis now) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    ProducerRow row = *producer(id);
    row.last_contact = now;
    changes_.producers[id] = std::move(row);
    return {};
}

Result<Store::Forgotten, StoreError> MemoryStore::forget_verdicts(const ProducerId& id,
                                                                  std::uint32_t count_max) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    ProducerRow row = *producer(id);
    std::set<delivery::Sequence> kept;
    for (const MemoryTables* tables : newest_first()) {
        if (const auto* rows = find_in(tables->verdicts, id)) {
            for (const auto& each : *rows) kept.insert(each.first);
        }
    }
    kept.erase(kept.begin(), kept.upper_bound(row.forgotten));
    Forgotten forgotten{static_cast<std::uint32_t>(std::min<std::size_t>(kept.size(), count_max)),
                        kept.size() <= count_max};
    row.forgotten =
        forgotten.is_finished ? row.seen.last : *std::next(kept.begin(), forgotten.verdicts - 1);
    changes_.producers[id] = std::move(row);
    return forgotten;
}

Result<std::vector<OnceRow>, StoreError> MemoryStore::find_once(std::string_view id,
                                                                std::string_view scope,
                                                                std::string_view body) {
    if (const auto error = fault(Call::read)) return Err{*error};
    std::vector<OnceRow> rows;
    bool scope_found = false;
    bool body_found = false;
    for (const MemoryTables* tables : oldest_first()) {
        const auto* stored = find_in(tables->once, id);
        if (!stored) continue;
        for (const OnceRow& row : *stored) {
            const bool decides = rows.empty() || (!scope_found && row.scope == scope) ||
                                 (!body_found && row.body == body);
            scope_found = scope_found || row.scope == scope;
            body_found = body_found || row.body == body;
            if (decides) rows.push_back(row);
        }
    }
    return rows;
}

Result<void, StoreError> MemoryStore::put_once(std::string_view id, const OnceRow& row) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    changes_.once[std::string(id)].push_back(row);
    return {};
}

Result<std::vector<LogEntry>, StoreError> MemoryStore::read(const std::vector<std::string>& rooms,
                                                            delivery::Offset after,
                                                            std::uint32_t entries_max,
                                                            std::uint64_t bytes_max) {
    // What is committed stays readable while a commit is in doubt; what is in doubt lies beyond head().
    if (!needs_reopen_) {
        if (const auto error = fault(Call::read)) return Err{*error};
    }
    std::vector<LogEntry> entries;
    std::uint64_t bytes = 0;
    for (const delivery::Offset offset : offsets_after(rooms, after, entries_max)) {
        LogEntry entry = as_kept(entry_at(offset));
        bytes += entry.data.size();
        if (!entries.empty() && bytes > bytes_max) break;
        entries.push_back(std::move(entry));
    }
    return entries;
}

Result<std::vector<LogEntry>, StoreError> MemoryStore::read_before(std::string_view room,
                                                                   delivery::Offset before,
                                                                   std::uint32_t entries_max,
                                                                   std::uint64_t bytes_max) {
    if (!needs_reopen_) {
        if (const auto error = fault(Call::read)) return Err{*error};
    }
    std::vector<LogEntry> entries;
    const auto* offsets = find_in(disk_.tables.rooms, room);
    if (!offsets) return entries;
    std::uint64_t bytes = 0;
    const auto end = std::min(before, committed_.offset + 1);
    auto at = std::lower_bound(offsets->begin(), offsets->end(), end);
    while (at != offsets->begin() && entries.size() < entries_max) {
        if (*--at <= trimmed_in(room)) break;
        LogEntry entry = as_kept(entry_at(*at));
        bytes += entry.data.size();
        if (!entries.empty() && bytes > bytes_max) break;
        entries.push_back(std::move(entry));
    }
    return entries;
}

// ---- what handlers and operators need ------------------------------------------------------------

Result<void, StoreError> MemoryStore::mark() {
    VERIFY(in_transaction_);
    if (broken_) return Err{*broken_};
    marked_ = changes_;
    marked_head_ = head_;
    return {};
}

Result<void, StoreError> MemoryStore::undo() {
    VERIFY(in_transaction_);
    if (broken_) return Err{*broken_};
    changes_ = marked_;
    head_ = marked_head_;
    return {};
}

Result<void, StoreError> MemoryStore::put_task(const TaskRow& row) {
    VERIFY(in_transaction_ && row.id == last_task_ + 1);
    if (const auto error = fault(Call::write)) return Err{*error};
    last_task_ = changes_.last_task = row.id;
    changes_.tasks[row.id] = row;
    return {};
}

Result<void, StoreError> MemoryStore::erase_task(std::uint64_t id) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    changes_.erased_tasks.push_back(id);
    return {};
}

Result<std::vector<TaskRow>, StoreError> MemoryStore::tasks(std::uint64_t after,
                                                            std::uint32_t count_max) {
    if (const auto error = fault(Call::read)) return Err{*error};
    std::map<std::uint64_t, TaskRow> all = disk_.tables.tasks;
    for (const auto& [id, row] : changes_.tasks) all[id] = row;
    for (const auto id : changes_.erased_tasks) all.erase(id);
    std::vector<TaskRow> found;
    for (auto row = all.upper_bound(after); row != all.end() && found.size() < count_max; ++row) {
        found.push_back(row->second);
    }
    return found;
}

// ---- questions ----------------------------------------------------------------------------------

Result<void, StoreError> MemoryStore::put_question(const QuestionRow& row) {
    VERIFY(in_transaction_ && row.id == last_question_ + 1);
    if (const auto error = fault(Call::write)) return Err{*error};
    last_question_ = changes_.last_question = row.id;
    changes_.questions[row.id] = row;
    return {};
}

Result<void, StoreError> MemoryStore::erase_question(std::uint64_t id) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    changes_.erased_questions.push_back(id);
    return {};
}

Result<std::optional<QuestionRow>, StoreError> MemoryStore::find_question(std::string_view key) {
    if (const auto error = fault(Call::read)) return Err{*error};
    for (auto& [id, row] : questions()) {
        if (row.key == key) return std::optional(row);
    }
    return std::optional<QuestionRow>();
}

Result<std::vector<QuestionRow>, StoreError> MemoryStore::questions_to(const ProducerId& recipient,
                                                                       std::uint64_t after,
                                                                       std::uint32_t count_max) {
    if (const auto error = fault(Call::read)) return Err{*error};
    std::vector<QuestionRow> found;
    for (auto& [id, row] : questions()) {
        const bool is_wanted = id > after && row.recipient == recipient;
        if (is_wanted && found.size() < count_max) found.push_back(row);
    }
    return found;
}

Result<std::uint32_t, StoreError> MemoryStore::count_questions_to(const ProducerId& recipient) {
    const auto found = questions_to(recipient, 0, UINT32_MAX);
    if (!found) return Err{found.error()};
    return static_cast<std::uint32_t>(found->size());
}

Result<std::vector<QuestionRow>, StoreError> MemoryStore::expiring_questions(
    UnixMillis until, std::uint32_t count_max) {
    if (const auto error = fault(Call::read)) return Err{*error};
    std::vector<QuestionRow> found;
    for (auto& [id, row] : questions()) {
        if (row.expires_at.value <= until.value) found.push_back(row);
    }
    std::stable_sort(found.begin(), found.end(), [](const QuestionRow& a, const QuestionRow& b) {
        return a.expires_at.value < b.expires_at.value;
    });
    if (found.size() > count_max) found.resize(count_max);
    return found;
}

/// As the open transaction leaves them.
std::map<std::uint64_t, QuestionRow> MemoryStore::questions() const {
    auto all = disk_.tables.questions;
    for (const auto& [id, row] : changes_.questions) all[id] = row;
    for (const auto id : changes_.erased_questions) all.erase(id);
    return all;
}

// ---- what it does not have, and what goes -------------------------------------------------------

Result<void, std::string> MemoryStore::prepare_application(const std::vector<SchemaPart>& parts) {
    if (parts.empty()) return {};
    return Err{std::string("a store in memory keeps no tables for applications")};
}

Result<std::vector<SqlRow>, SqlError> MemoryStore::run_sql(std::string_view,
                                                           const std::vector<SqlValue>&) {
    return Err{SqlError{std::nullopt, false, "a store in memory keeps no tables for applications"}};
}

Result<Store::Trimmed, StoreError> MemoryStore::trim(const Retention& retention, UnixMillis now,
                                                     std::uint32_t entries_max) {
    VERIFY(in_transaction_);
    if (const auto error = fault(Call::write)) return Err{*error};
    Trimmed done;
    for (const auto& [room, offsets] : disk_.tables.rooms) {
        const RetentionRule* rule = retention.rule_for(room);
        if (!rule) continue;
        const auto kept = std::upper_bound(offsets.begin(), offsets.end(), trimmed_in(room));
        std::vector<Age> oldest;
        for (auto offset = kept;
             offset != offsets.end() && oldest.size() < entries_max - done.entries; ++offset) {
            const LogEntry& entry = entry_at(*offset);
            oldest.push_back({entry.room_seq, entry.stored_at});
        }
        const std::size_t count = count_removable(*rule, oldest, offsets.size(), now);
        if (count == 0) continue;
        changes_.trimmed[room] = *(kept + static_cast<std::ptrdiff_t>(count) - 1);
        done.entries += static_cast<std::uint32_t>(count);
        if (done.entries == entries_max) done.is_finished = false;
        if (!done.is_finished) break;
    }
    return done;
}

Result<delivery::Offset, StoreError> MemoryStore::trimmed_to(
    const std::vector<std::string>& rooms) {
    if (const auto error = fault(Call::read)) return Err{*error};
    delivery::Offset newest = 0;
    for (const auto& room : rooms) newest = std::max(newest, trimmed_in(room));
    return newest;
}

delivery::Offset MemoryStore::trimmed_in(std::string_view room) const {
    for (const MemoryTables* tables : newest_first()) {
        if (const auto* offset = find_in(tables->trimmed, room)) return *offset;
    }
    return 0;
}

/// Why this call must fail, if it must. A failed call spoils its transaction.
std::optional<StoreError> MemoryStore::fault(Call call) {
    if (broken_ || !faults_) return broken_;
    std::optional<StoreError> error = call == Call::write ? faults_->writes : faults_->reads;
    if (faults_->fail_call > 0 && --faults_->fail_call == 0) error = faults_->fail_call_with;
    if (in_transaction_) broken_ = error;
    return error;
}

/// Committed.
const LogEntry& MemoryStore::entry_at(delivery::Offset offset) const {
    return *find_at(disk_.tables.log, offset);
}

void MemoryStore::load_head() {
    const auto& tables = disk_.tables;
    head_ = tables.log.empty() ? 0 : tables.log.back().offset;
    if (tables.sessions && !tables.sessions->recorded.empty())
        head_ = std::max(head_, tables.sessions->recorded.rbegin()->first);
    committed_ = {disk_.epoch, head_};
    last_task_ = std::max(last_task_, tables.last_task);
    last_question_ = std::max(last_question_, tables.last_question);
}

std::uint64_t MemoryStore::stored_in_room(std::string_view room) const {
    std::uint64_t stored = 0;
    for (const MemoryTables* tables : oldest_first()) {
        if (const auto* offsets = find_in(tables->rooms, room)) stored += offsets->size();
    }
    return stored;
}

delivery::Offset MemoryStore::newest_in_room(std::string_view room) const {
    for (const MemoryTables* tables : newest_first()) {
        const auto* offsets = find_in(tables->rooms, room);
        if (offsets && !offsets->empty()) return offsets->back();
    }
    return 0;
}

/// What was before it may have been trimmed since, and the open transaction may have rewritten it.
LogEntry MemoryStore::as_kept(LogEntry entry) const {
    if (entry.before <= trimmed_in(entry.room)) entry.before = 0;
    if (const auto* data = find_in(changes_.rewritten, entry.offset)) entry.data = *data;
    return entry;
}

/// The next `entries_max` committed offsets of all these rooms together, in order.
std::vector<delivery::Offset> MemoryStore::offsets_after(const std::vector<std::string>& rooms,
                                                         delivery::Offset after,
                                                         std::uint32_t entries_max) const {
    const auto limit = static_cast<std::ptrdiff_t>(std::min(entries_max, 1u << 30));
    std::vector<delivery::Offset> result;
    for (const std::string& room : rooms) {
        const auto* offsets = find_in(disk_.tables.rooms, room);
        if (!offsets) continue;
        const auto beyond = std::max(after, trimmed_in(room));
        const auto first = std::upper_bound(offsets->begin(), offsets->end(), beyond);
        const auto end = std::upper_bound(first, offsets->end(), committed_.offset);
        result.insert(result.end(), first, end - first > limit ? first + limit : end);
    }
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    if (result.size() > entries_max) result.resize(entries_max);
    return result;
}

}  // namespace oncewire::store
