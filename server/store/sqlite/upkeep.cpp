#include "server/store/sqlite/upkeep.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace oncewire::store::sqlite {
Result<void, Failure> UpkeepTables::prepare(Database& database) {
    const std::pair<Statement&, const char*> all[] = {
        {next_room_, "SELECT id, name, last_seq FROM rooms WHERE id > ?1 ORDER BY id LIMIT 1"},
        {oldest_in_room_,
         "SELECT offset, room_seq, stored_at FROM log WHERE room = ?1 ORDER BY offset LIMIT ?2"},
        {trim_room_, "DELETE FROM log WHERE room = ?1 AND offset <= ?2"},
        {set_trimmed_, "UPDATE rooms SET trimmed = ?2, trimmed_seq = ?3 WHERE id = ?1"},
        {find_producer_, "SELECT id, last, digests_to FROM producers WHERE name = ?1"},
        {renew_producer_, "UPDATE producers SET last_contact = ?2 WHERE name = ?1"},
        {oldest_verdicts_,
         "SELECT count(*), max(sequence) FROM (SELECT sequence FROM verdicts WHERE producer = ?1"
         " ORDER BY sequence LIMIT ?2)"},
        {forget_verdicts_, "DELETE FROM verdicts WHERE producer = ?1 AND sequence <= ?2"},
        {forget_digests_,
         "DELETE FROM verdict_digests WHERE producer = ?1 AND (digest, sequence) IN"
         " (SELECT digest, sequence FROM verdicts WHERE producer = ?1 AND sequence <= ?2)"},
        {set_forgotten_, "UPDATE producers SET forgotten = ?2 WHERE id = ?1"},
        {verdicts_beyond_,
         "SELECT max(sequence) FROM (SELECT sequence FROM verdicts WHERE producer = ?1"
         " AND sequence > ?2 ORDER BY sequence LIMIT ?3)"},
        {copy_digests_,
         "INSERT OR IGNORE INTO verdict_digests SELECT producer, digest, sequence FROM verdicts"
         " WHERE producer = ?1 AND sequence > ?2 AND sequence <= ?3"},
        {set_digests_to_, "UPDATE producers SET digests_to = ?2 WHERE id = ?1"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database.prepare(sql);
        if (!prepared) return Err{prepared.error()};
        statement = std::move(*prepared);
    }
    return {};
}

Result<Written, StoreError> UpkeepTables::write(const Upkeep& upkeep) {
    Written written;
    for (const auto& [id, now] : upkeep.renewed) {
        if (const auto error = run(renew_producer_, std::string_view(id.text), now.value))
            return Err{*error};
    }
    if (const auto error = forget_verdicts(upkeep, written)) return Err{*error};
    if (const auto error = prepare_digests(upkeep)) return Err{*error};
    if (upkeep.trim) {
        if (const auto error = trim(*upkeep.trim, written)) return Err{*error};
    }
    return written;
}

// ---- verdicts -----------------------------------------------------------------------------------

std::optional<StoreError> UpkeepTables::forget_verdicts(const Upkeep& upkeep,
                                                        Written& written) const {
    std::uint64_t left = upkeep.verdicts_max;
    for (const auto& id : upkeep.forgotten) {
        const Run row(find_producer_, std::string_view(id.text));
        if (row.error() || !row.has_row()) return row.error().value_or(StoreError::corrupt);
        const Run oldest(oldest_verdicts_, row.integer(0), left);
        if (oldest.error()) return oldest.error();
        const std::uint64_t count = oldest.number(0);
        const std::uint64_t newest = row.number(1);
        const std::uint64_t last = count < left ? newest : oldest.number(1);
        const bool is_whole = last == newest;
        if (count > 0 || is_whole) {
            if (const auto error = run(forget_digests_, row.integer(0), last)) return error;
            if (const auto error = run(forget_verdicts_, row.integer(0), last)) return error;
            if (const auto error = run(set_forgotten_, row.integer(0), last)) return error;
        }
        written.are_leases_ended = is_whole;
        if (!is_whole) return std::nullopt;
        ++written.leases_ended;
        left -= count;
    }
    return std::nullopt;
}

std::optional<StoreError> UpkeepTables::prepare_digests(const Upkeep& upkeep) const {
    for (const auto& id : upkeep.prepare_digests) {
        const Run row(find_producer_, std::string_view(id.text));
        if (row.error()) return row.error();
        if (!row.has_row()) continue;
        const std::uint64_t known = row.number(2);
        const Run beyond(verdicts_beyond_, row.integer(0), known,
                         std::uint64_t{upkeep.digests_max});
        if (beyond.error()) return beyond.error();
        const std::uint64_t last = beyond.number(0);
        if (last == 0) continue;
        if (const auto error = run(copy_digests_, row.integer(0), known, last)) return error;
        if (const auto error = run(set_digests_to_, row.integer(0), last)) return error;
    }
    return std::nullopt;
}

// ---- entries ------------------------------------------------------------------------------------

std::optional<StoreError> UpkeepTables::trim(const Upkeep::Trim& trim, Written& written) {
    written.is_trimmed = false;
    for (std::uint32_t looked_at = 0;
         looked_at < trim.entries_max && written.trimmed < trim.entries_max; ++looked_at) {
        Room room;
        {
            const Run next(next_room_, trimming_after_);
            if (next.error()) return next.error();
            if (!next.has_row()) {
                trimming_after_ = 0;
                written.is_trimmed = true;
                return std::nullopt;
            }
            room = {next.integer(0), next.text(1), next.number(2)};
        }
        const RetentionRule* rule = trim.retention.rule_for(room.name);
        const auto removed =
            rule ? trim_one(room, *rule, trim.now, trim.entries_max - written.trimmed)
                 : Result<std::uint32_t, StoreError>(0u);
        if (!removed) return removed.error();
        written.trimmed += *removed;
        // Else it may have more.
        if (written.trimmed < trim.entries_max) trimming_after_ = room.id;
    }
    return std::nullopt;
}

Result<std::uint32_t, StoreError> UpkeepTables::trim_one(const Room& room,
                                                         const RetentionRule& rule, UnixMillis now,
                                                         std::uint32_t entries_max) const {
    std::vector<Age> oldest;
    std::vector<delivery::Offset> offsets;
    {
        Run run(oldest_in_room_, room.id, std::uint64_t{entries_max});
        for (; run.has_row(); run.step()) {
            offsets.push_back(run.number(0));
            oldest.push_back({run.number(1), UnixMillis{run.integer(2)}});
        }
        if (run.error()) return Err{*run.error()};
    }
    const std::size_t count = count_removable(rule, oldest, room.last_seq, now);
    if (count == 0) return 0u;
    if (const auto error = run(trim_room_, room.id, offsets[count - 1])) return Err{*error};
    const auto noted = run(set_trimmed_, room.id, offsets[count - 1], oldest[count - 1].room_seq);
    if (noted) return Err{*noted};
    return static_cast<std::uint32_t>(count);
}

}  // namespace oncewire::store::sqlite
