// What is removed: in small steps old entries, and the verdicts of who is away; and what was rewritten.
#include <algorithm>
#include <utility>

#include "server/sequencer/sequencer.hpp"

namespace oncewire::sequencer {
namespace {

/// 256 entries in one go: a few milliseconds in which no message is stored.
constexpr std::uint32_t trim_entries_max = 256;
/// After a start nobody is taken for away before this: every client has tried again by then.
constexpr Millis come_back_within{10'000};
/// As trim_entries_max, of verdicts.
constexpr std::uint32_t forget_verdicts_max = 256;
/// 1,024 verdicts are made ready to be found by digest between two batches of messages: some 5 ms.
constexpr std::uint32_t prepared_at_once = 1024;
/// 1 s at least between two times that files are rid of what was replaced: each may write some megabytes,
/// while no message is stored.
constexpr Millis erase_every{1'000};

}  // namespace

/// Their erasure did not happen, or may not have: they are given out again.
void Sequencer::forget_ended_tasks() {
    for (const auto id : std::exchange(ended_tasks_, {})) tasks_.not_erased(id, now_);
}

/// The files hold old data until it is erased. Also after a commit of which nobody knows the outcome.
void Sequencer::note_rewritten() {
    if (rewritten_ == 0 || erase_at_) return;
    erase_at_ = std::max(now_, erased_at_ + erase_every);
}

/// Whatever keeps it from being done passes, or ends the process.
void Sequencer::erase_traces() {
    if (in_batch_) return;
    erased_at_ = now_;
    const auto erased = store().erase_traces();
    if (erased && *erased) {
        ++counts_.erasures;
        return erase_at_.reset();
    }
    if (!erased) note(erased.error());
    erase_at_ = now_ + erase_every;
}

/// A batch of nothing else. None: it was not stored, and that is dealt with.
std::optional<Written> Sequencer::write_upkeep() {
    const Written written = overlay_->write();
    switch (written.outcome) {
        case WriteOutcome::committed:
            return written;
        case WriteOutcome::refused:
            refuse_for_a_while(written.error);
            break;
        case WriteOutcome::moved:
            is_superseded_ = true;
            break;
        case WriteOutcome::unknown:
            lose_batch();
            break;
    }
    return std::nullopt;
}

/// One step for all who wait for it.
void Sequencer::prepare_digests() {
    if (unprepared_.empty() || in_batch_ || is_refusing()) return;
    store::Upkeep& upkeep = overlay_->upkeep();
    upkeep.prepare_digests.assign(unprepared_.begin(), unprepared_.end());
    upkeep.digests_max =
        std::max(1u, prepared_at_once / static_cast<std::uint32_t>(unprepared_.size()));
    unprepared_.clear();  // they ask again
    write_upkeep();
}

/// One step; the next one follows at once until nothing is left to remove.
void Sequencer::trim() {
    if (in_batch_) return;
    trim_at_ = now_ + options_.trim_every;
    overlay_->upkeep().trim = {options_.retention, wall_clock_, trim_entries_max};
    const auto written = write_upkeep();
    if (!written) return;
    counts_.trimmed += written->trimmed;
    if (!written->is_trimmed) trim_at_ = now_;
}

/// One step, as of trim(). Whoever is there is not away, however long ago they sent something.
void Sequencer::end_leases() {
    if (!leases_at_) leases_at_ = now_ + come_back_within;
    if (in_batch_ || *leases_at_ > now_) return;
    leases_at_ = now_ + options_.trim_every;
    Wanted wanted;
    wanted.idle_producers = {UnixMillis{wall_clock_.value - options_.lease->count()},
                             forget_verdicts_max};
    auto facts = store().fetch(wanted);
    if (!facts) return refuse_for_a_while(facts.error());
    auto& idle = facts->idle_producers;
    if (idle.empty()) return;
    store::Upkeep& upkeep = overlay_->upkeep();
    for (auto& id : idle) {
        if (is_attached(id)) {
            upkeep.renewed.emplace_back(std::move(id), wall_clock_);
        } else {
            upkeep.forgotten.push_back(std::move(id));
        }
    }
    upkeep.verdicts_max = forget_verdicts_max;
    const auto written = write_upkeep();
    if (!written) return;
    counts_.leases_ended += written->leases_ended;
    if (!written->are_leases_ended || idle.size() == forget_verdicts_max) leases_at_ = now_;
}

}  // namespace oncewire::sequencer
