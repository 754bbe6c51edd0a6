#pragma once

#include <cstdint>

namespace oncewire::sequencer {

/// Counters of one sequencer, for operators and tests.
struct SequencerCounts {
    std::uint64_t submitted = 0;
    std::uint64_t stored = 0;    ///< log entries committed
    std::uint64_t repeated = 0;  ///< resent copies answered from the stored verdict
    std::uint64_t rejected = 0;
    std::uint64_t fenced = 0;
    std::uint64_t commits = 0;
    std::uint64_t unknown_commits = 0;
    std::uint64_t rewritten = 0;  ///< times an entry was given other data
    std::uint64_t erasures =
        0;  ///< times that what was replaced was removed from the store's files
    std::uint64_t recorded = 0;   ///< events kept for those who come back
    std::uint64_t resumed = 0;    ///< sessions
    std::uint64_t forgotten = 0;  ///< times that all sessions were, because the store failed
    std::uint64_t handler_failures = 0;
    std::uint64_t tasks_done = 0;
    std::uint64_t task_failures = 0;
    std::uint64_t trimmed = 0;    ///< entries removed by retention
    std::uint64_t conflicts = 0;  ///< numbers that met another message (R9)
    std::uint64_t asked = 0;      ///< questions given out, repetitions counted
    std::uint64_t answered = 0;
    std::uint64_t expired = 0;           ///< questions
    std::uint64_t leases_ended = 0;      ///< producers whose verdicts were forgotten
    std::uint64_t outcomes_unknown = 0;  ///< resent copies whose verdict was forgotten
    std::uint64_t put_off = 0;           ///< messages that were not admitted yet
    std::uint64_t cut_off = 0;           ///< sessions that did not wait when they were asked to
};

}  // namespace oncewire::sequencer
