// VERIFY here: Overlay makes the batches, whatever a peer makes it write.
#include "server/store/memory/memory_disk.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::store {
namespace {

/// The first entry that is not before `offset`. Offsets of recorded events are no places in the log.
auto find_at(std::vector<LogEntry>& log, delivery::Offset offset) {
    return std::lower_bound(
        log.begin(), log.end(), offset,
        [](const LogEntry& one, delivery::Offset wanted) { return one.offset < wanted; });
}

void prune(MemorySessions& kept, const RecordLimits& limits) {
    std::uint64_t bytes = 0;
    for (const auto& [offset, event] : kept.recorded) bytes += event.bytes();
    while (kept.recorded.size() > 1) {
        const RecordedEvent& oldest = kept.recorded.begin()->second;
        const bool stays = kept.recorded.size() <= limits.entries_max &&
                           bytes <= limits.bytes_max &&
                           oldest.stored_at.value >= limits.older_than.value;
        if (stays) return;
        bytes -= oldest.bytes();
        kept.pruned = {oldest.offset, oldest.stored_at};
        kept.recorded.erase(kept.recorded.begin());
    }
}

}  // namespace

Written MemoryDisk::write(const Batch& batch, std::uint64_t writer) {
    if (writer != fence || !(batch.from == head())) return {.outcome = WriteOutcome::moved};
    return tables.apply(batch);
}

delivery::Offset MemoryTables::head() const {
    const auto& recorded = sessions.recorded;
    return std::max(log.empty() ? 0 : log.back().offset,
                    recorded.empty() ? 0 : recorded.rbegin()->first);
}

delivery::Offset MemoryTables::trimmed_in(std::string_view room) const {
    const auto found = trimmed.find(room);
    return found == trimmed.end() ? 0 : found->second;
}

Written MemoryTables::apply(const Batch& batch) {
    VERIFY(batch.to - head() == batch.entries.size() + batch.recorded.size());
    Written written;
    for (const auto& entry : batch.entries) append(entry);
    for (const auto& [name, room] : batch.rooms) {
        const auto& offsets = rooms.find(name)->second;
        VERIFY((room == RoomHead{offsets.size(), offsets.back()}));
    }
    for (const auto& [offset, data] : batch.rewritten) find_at(log, offset)->data = data;
    apply_senders(batch);
    for (const auto& [id, rows] : batch.once) {
        auto& known = once[id];
        known.insert(known.end(), rows.begin(), rows.end());
    }
    for (const auto& row : batch.tasks) tasks[last_task = row.id] = row;
    for (const auto id : batch.ended_tasks) tasks.erase(id);
    for (const auto& row : batch.questions) questions[last_question = row.id] = row;
    for (const auto& ended : batch.ended_questions) questions.erase(ended.id);
    apply_sessions(batch);
    apply_upkeep(batch.upkeep, written);
    VERIFY(head() == batch.to);
    return written;
}

void MemoryTables::append(const LogEntry& entry) {
    auto& offsets = rooms[entry.room];
    VERIFY(entry.room_seq == offsets.size() + 1);
    VERIFY(entry.before == (offsets.empty() ? 0 : offsets.back()));
    VERIFY(entry.offset > head());
    offsets.push_back(entry.offset);
    log.push_back(entry);
}

void MemoryTables::apply_senders(const Batch& batch) {
    for (const auto& [id, change] : batch.senders) {
        if (change.row) producers[id] = *change.row;
        VERIFY(producers.contains(id));
        for (const auto& [sequence, verdict] : change.verdicts) verdicts[id][sequence] = verdict;
    }
}

void MemoryTables::apply_sessions(const Batch& batch) {
    const Upkeep& upkeep = batch.upkeep;
    auto& rows = sessions.rows;
    if (upkeep.drops_sessions) rows.clear();
    if (const auto& restart = upkeep.restart_sessions) {
        const UnixMillis now = restart->now;
        for (auto& [pid, row] : rows) {
            if (row.live || row.seen_at.value > now.value) row.seen_at = now;
            row.live = false;
        }
        auto& recorded = sessions.recorded;
        const UnixMillis newest = recorded.empty() ? now : recorded.rbegin()->second.stored_at;
        auto& pruned = sessions.pruned;
        if (pruned.stored_at.value + restart->slack.count() >= newest.value) pruned.stored_at = now;
        for (auto& [offset, event] : recorded) event.stored_at = now;
    }
    for (const auto& [pid, change] : batch.sessions) {
        if (change.after) {
            rows[pid] = *change.after;
        } else {
            rows.erase(pid);
        }
    }
    if (const auto before = upkeep.drop_unseen_before) {
        std::erase_if(rows, [&](const auto& each) {
            return !each.second.live && each.second.seen_at.value < before->value;
        });
    }
    for (const auto& event : batch.recorded) sessions.recorded[event.offset] = event;
    if (upkeep.prune) prune(sessions, *upkeep.prune);
}

void MemoryTables::apply_upkeep(const Upkeep& upkeep, Written& written) {
    for (const auto& [id, now] : upkeep.renewed) producers[id].last_contact = now;
    forget_verdicts(upkeep, written);
    if (upkeep.trim) trim(*upkeep.trim, written);
}

void MemoryTables::forget_verdicts(const Upkeep& upkeep, Written& written) {
    std::size_t left = upkeep.verdicts_max;
    for (const auto& id : upkeep.forgotten) {
        auto& kept = verdicts[id];
        ProducerRow& row = producers[id];
        written.are_leases_ended = kept.size() <= left;
        const auto count = std::min(left, kept.size());
        const auto end = std::next(kept.begin(), static_cast<std::ptrdiff_t>(count));
        if (written.are_leases_ended) {
            row.forgotten = row.seen.last;
            ++written.leases_ended;
        } else if (count > 0) {
            row.forgotten = std::prev(end)->first;
        }
        kept.erase(kept.begin(), end);
        left -= count;
        if (!written.are_leases_ended) return;
    }
}

void MemoryTables::trim(const Upkeep::Trim& trim, Written& written) {
    for (const auto& [room, offsets] : rooms) {
        const RetentionRule* rule = trim.retention.rule_for(room);
        if (!rule) continue;
        const auto kept = std::upper_bound(offsets.begin(), offsets.end(), trimmed_in(room));
        std::vector<Age> oldest;
        for (auto offset = kept;
             offset != offsets.end() && oldest.size() < trim.entries_max - written.trimmed;
             ++offset) {
            const auto entry = find_at(log, *offset);
            oldest.push_back({entry->room_seq, entry->stored_at});
        }
        const std::size_t count = count_removable(*rule, oldest, offsets.size(), trim.now);
        if (count == 0) continue;
        trimmed[room] = *(kept + static_cast<std::ptrdiff_t>(count) - 1);
        written.trimmed += static_cast<std::uint32_t>(count);
        written.is_trimmed = written.trimmed < trim.entries_max;
        if (!written.is_trimmed) return;
    }
}

}  // namespace oncewire::store
