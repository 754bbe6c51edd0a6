// How a SqliteStore lets go of old entries and old verdicts.
//
// VERIFY here: the sequencer begins, writes and ends in order, whatever a peer makes it write.
#include <algorithm>

#include "server/store/sqlite/connection.hpp"
#include "server/store/sqlite/store.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::store {

using sqlite::Run;

Result<Store::Trimmed, StoreError> SqliteStore::trim(const Retention& retention, UnixMillis now,
                                                     std::uint32_t entries_max) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened) return Err{opened.error()};
    if (broken_) return Err{*broken_};
    Trimmed done;
    for (std::uint32_t looked_at = 0; looked_at < entries_max && done.entries < entries_max;
         ++looked_at) {
        RoomAtHand room;
        {
            const Run next(connection_->next_room, trimming_after_);
            if (next.error()) return fail(*next.error());
            if (!next.has_row()) {
                trimming_after_ = 0;
                return done;
            }
            room = {next.integer(0), next.text(1), next.number(2)};
        }
        const RetentionRule* rule = retention.rule_for(room.name);
        const auto removed = rule ? trim_one(room, *rule, now, entries_max - done.entries)
                                  : Result<std::uint32_t, StoreError>(0u);
        if (!removed) return Err{removed.error()};
        done.entries += *removed;
        if (done.entries < entries_max) trimming_after_ = room.id;  // else it may have more
    }
    done.is_finished = false;
    return done;
}

Result<std::uint32_t, StoreError> SqliteStore::trim_one(const RoomAtHand& room,
                                                        const RetentionRule& rule, UnixMillis now,
                                                        std::uint32_t entries_max) {
    std::vector<Age> oldest;
    std::vector<delivery::Offset> offsets;
    {
        Run run(connection_->oldest_in_room, room.id, std::uint64_t{entries_max});
        for (; run.has_row(); run.step()) {
            offsets.push_back(run.number(0));
            oldest.push_back({run.number(1), UnixMillis{run.integer(2)}});
        }
        if (run.error()) return fail(*run.error());
    }
    const std::size_t count = count_removable(rule, oldest, room.last_seq, now);
    if (count == 0) return 0u;
    const Run trimmed(connection_->trim_room, room.id, offsets[count - 1]);
    if (trimmed.error()) return fail(*trimmed.error());
    const Run noted(connection_->set_trimmed, room.id, offsets[count - 1],
                    oldest[count - 1].room_seq);
    if (noted.error()) return fail(*noted.error());
    return static_cast<std::uint32_t>(count);
}

// ---- leases -------------------------------------------------------------------------------------

Result<std::vector<ProducerId>, StoreError> SqliteStore::idle_producers(UnixMillis until,
                                                                        std::uint32_t count_max) {
    if (broken_) return Err{*broken_};
    std::vector<ProducerId> found;
    Run run(connection_->idle_producers, until.value, std::uint64_t{count_max});
    for (; run.has_row(); run.step()) found.push_back(ProducerId(run.text(0)));
    if (run.error()) return fail(*run.error());
    return found;
}

Result<void, StoreError> SqliteStore::renew_producer(const ProducerId& id, UnixMillis now) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened) return Err{opened.error()};
    if (broken_) return Err{*broken_};
    const Run run(connection_->renew_producer, std::string_view(id.text), now.value);
    if (run.error()) return fail(*run.error());
    return {};
}

Result<Store::Forgotten, StoreError> SqliteStore::forget_verdicts(const ProducerId& id,
                                                                  std::uint32_t count_max) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened) return Err{opened.error()};
    const auto number = find_producer_number(id);
    if (!number) return Err{number.error()};
    const auto row = find_producer(id);
    if (!row) return Err{row.error()};
    VERIFY(*number && *row);
    const Run oldest(connection_->oldest_verdicts, **number, std::uint64_t{count_max});
    if (oldest.error()) return fail(*oldest.error());
    const auto count = static_cast<std::uint32_t>(oldest.number(0));
    const delivery::Sequence newest = (*row)->seen.last;
    const delivery::Sequence last = count < count_max ? newest : oldest.number(1);
    const Run digests(connection_->forget_digests, **number, last);
    if (digests.error()) return fail(*digests.error());
    const Run forgotten(connection_->forget_verdicts, **number, last);
    if (forgotten.error()) return fail(*forgotten.error());
    const Run noted(connection_->set_forgotten, **number, last);
    if (noted.error()) return fail(*noted.error());
    return Forgotten{count, last == newest};
}

}  // namespace oncewire::store
