#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/trace.hpp"
#include "tests/sim/world.hpp"

namespace oncewire::sim {

/// What a range of seeds came to.
struct Sum {
    std::uint64_t seeds = 0;
    std::uint64_t failed_seeds = 0;
    std::uint64_t events = 0;
    std::uint64_t messages = 0;
    std::uint64_t crashes = 0;
    Millis simulated{0};
    FaultCounts faults = {};
    std::array<std::uint64_t, breach_count> breaches = {};
    TraceHash traces;  ///< of all runs, in the order they were added

    void add(const Outcome& outcome);
};

/// The last events of a run, what it broke, and the command that plays it again.
void print_failure(std::uint64_t seed, Mutant mutant, const Outcome& outcome);
/// One line: what a run broke.
void print_breach(std::uint64_t seed, const Violation& violation);
/// How often each class of faults struck. False: one of them never did, so the range proves nothing
/// about it (asked of large ranges only; few seeds may well miss a rare class).
bool print_counts(const Sum& sum);
/// One line for machines.
void print_json(const Sum& sum);

}  // namespace oncewire::sim
