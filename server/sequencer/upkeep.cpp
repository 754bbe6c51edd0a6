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
    if (rewritten_.empty() || erase_at_) return;
    erase_at_ = std::max(now_, erased_at_ + erase_every);
}

/// Whatever keeps it from being done passes, or ends the process.
void Sequencer::erase_traces() {
    if (in_transaction_) return;
    erased_at_ = now_;
    const auto erased = store_.erase_traces();
    if (erased && *erased) {
        ++counts_.erasures;
        return erase_at_.reset();
    }
    if (!erased) note(erased.error());
    erase_at_ = now_ + erase_every;
}

/// One step; the next one follows at once until nothing is left to remove.
void Sequencer::trim() {
    if (in_transaction_) return;
    trim_at_ = now_ + options_.trim_every;
    if (const auto begun = store_.begin(); !begun) return refuse_for_a_while(begun.error());
    const auto trimmed = store_.trim(options_.retention, wall_clock_, trim_entries_max);
    if (!trimmed) {
        store_.rollback();
        return refuse_for_a_while(trimmed.error());
    }
    if (store_.commit() == CommitOutcome::unknown) return lose_batch();
    counts_.trimmed += trimmed->entries;
    if (!trimmed->is_finished) trim_at_ = now_;
}

/// One step, as of trim(). Whoever is there is not away, however long ago they sent something.
void Sequencer::end_leases() {
    if (!leases_at_) leases_at_ = now_ + come_back_within;
    if (in_transaction_ || *leases_at_ > now_) return;
    leases_at_ = now_ + options_.trim_every;
    const UnixMillis until{wall_clock_.value - options_.lease->count()};
    const auto idle = store_.idle_producers(until, forget_verdicts_max);
    if (!idle) return refuse_for_a_while(idle.error());
    if (idle->empty()) return;
    if (const auto begun = store_.begin(); !begun) return refuse_for_a_while(begun.error());
    const auto step = end_leases(*idle);
    if (!step) {
        store_.rollback();
        return refuse_for_a_while(step.error());
    }
    if (store_.commit() == CommitOutcome::unknown) return lose_batch();
    counts_.leases_ended += step->ended;
    if (!step->is_finished) leases_at_ = now_;
}

Result<Sequencer::LeaseStep, StoreError> Sequencer::end_leases(
    const std::vector<ProducerId>& idle) {
    LeaseStep step;
    std::uint32_t left = forget_verdicts_max;
    for (const auto& id : idle) {
        if (is_attached(id)) {
            const auto renewed = store_.renew_producer(id, wall_clock_);
            if (!renewed) return Err{renewed.error()};
            --left;
        } else {
            const auto forgotten = store_.forget_verdicts(id, left);
            if (!forgotten) return Err{forgotten.error()};
            left -= forgotten->verdicts;
            if (forgotten->is_finished) ++step.ended;
        }
        step.is_finished = left > 0;
        if (!step.is_finished) break;
    }
    return step;
}

}  // namespace oncewire::sequencer
