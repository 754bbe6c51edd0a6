#include "tests/sim/report.hpp"

#include <algorithm>
#include <iomanip>
#include <iostream>

namespace oncewire::sim {
namespace {

constexpr std::uint64_t every_class_from = 500;  // seeds
constexpr std::size_t trace_lines_shown = 60;

template <class Counts, class Key>
std::uint64_t count_of(const Counts& counts, Key key) {
    return counts[static_cast<std::size_t>(key)];
}

double hours(Millis time) { return static_cast<double>(time.count()) / 3'600'000.0; }

}  // namespace

void Sum::add(const Outcome& outcome) {
    ++seeds;
    failed_seeds += outcome.violations.empty() ? 0 : 1;
    events += outcome.events;
    messages += outcome.messages;
    crashes += outcome.crashes;
    simulated += outcome.simulated;
    for (std::size_t i = 0; i < fault_count; ++i) faults[i] += outcome.faults[i];
    for (const auto& violation : outcome.violations) {
        ++breaches[static_cast<std::size_t>(violation.breach)];
    }
    traces.add(outcome.trace_hash);
}

void print_failure(std::uint64_t seed, Mutant mutant, const Outcome& outcome) {
    const std::size_t shown = std::min(outcome.trace.size(), trace_lines_shown);
    std::cout << "\nseed " << seed << '\n';
    for (auto line = outcome.trace.end() - static_cast<std::ptrdiff_t>(shown);
         line != outcome.trace.end(); ++line) {
        std::cout << "  " << *line << '\n';
    }
    for (const auto& violation : outcome.violations) print_breach(seed, violation);
    std::cout << "  replay: build/bin/oncewire-sim --seeds " << seed << ".." << seed;
    if (mutant != Mutant::none) std::cout << " --mutant " << mutant_name(mutant);
    std::cout << " --trace\n";
}

void print_breach(std::uint64_t seed, const Violation& violation) {
    std::cout << "seed " << seed << ": " << breach_name(violation.breach) << ": " << violation.what
              << '\n';
}

bool print_counts(const Sum& sum) {
    std::string idle;
    for (std::uint32_t i = 0; i < fault_count; ++i) {
        const auto* name = fault_name(static_cast<Fault>(i));
        std::cout << std::left << std::setw(22) << name << std::right << std::setw(10)
                  << sum.faults[i] << '\n';
        if (sum.faults[i] == 0) idle += std::string(" ") + name;
    }
    std::cout << sum.messages << " messages, " << sum.crashes << " crashes, " << sum.events
              << " events in " << sum.seeds << " worlds; a promise broken in " << sum.failed_seeds
              << '\n';
    if (sum.seeds < every_class_from || idle.empty()) return true;
    std::cout << "never struck, so nothing is proven about:" << idle << '\n';
    return false;
}

void print_json(const Sum& sum) {
    std::cout << "{\"seeds\":" << sum.seeds << ",\"hours\":" << std::fixed << std::setprecision(1)
              << hours(sum.simulated) << ",\"messages\":" << sum.messages
              << ",\"crashes\":" << sum.crashes
              << ",\"power_losses\":" << count_of(sum.faults, Fault::power_lost)
              << ",\"cuts\":" << count_of(sum.faults, Fault::link_cut)
              << ",\"refreshes\":" << count_of(sum.faults, Fault::refresh);
    for (std::uint32_t i = 0; i < breach_count; ++i) {
        std::cout << ",\"" << breach_name(static_cast<Breach>(i)) << "\":" << sum.breaches[i];
    }
    std::cout << ",\"trace_hash\":\"" << std::hex << std::setw(16) << std::setfill('0')
              << sum.traces.value() << "\"}" << std::endl;
}

}  // namespace oncewire::sim
