// oncewire-sim: runs simulated worlds, one for each seed, and says whether every promise was kept.
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#ifndef __EMSCRIPTEN__
#include <atomic>
#include <thread>
#endif

#include "tests/sim/world.hpp"

namespace oncewire::sim {
namespace {

constexpr std::uint64_t all_classes_from = 500;  // seeds; fewer may well miss a rare class
constexpr std::size_t failures_shown = 3;
constexpr std::size_t trace_lines_shown = 60;

struct Arguments {
    std::uint64_t first = 1;
    std::uint64_t last = 200;
    std::uint32_t threads = 1;
    bool trace = false;
    bool all_mutants = false;
    bool canary = false;
    Mutant mutant = Mutant::none;
};

constexpr const char* usage =
    "usage: oncewire-sim [options]\n"
    "  --seeds A..B     which worlds (1..200)\n"
    "  --threads N      how many at a time (1); the result does not depend on it\n"
    "  --trace          print every event; for one seed\n"
    "  --mutant NAME    with this planted bug\n"
    "  --list-mutants   their names\n"
    "  --mutants        every planted bug, each until it is caught; 0 if all were\n"
    "  --canary         one planted bug; 0 if it was caught\n";

thread_local std::uint64_t seed_running = 0;

// A broken VERIFY ends the process; this says which world did it.
void tell_seed(int) {
    std::fprintf(stderr, "seed %llu ended the process\n  replay: oncewire-sim --seeds %llu..%llu\n",
                 static_cast<unsigned long long>(seed_running),
                 static_cast<unsigned long long>(seed_running),
                 static_cast<unsigned long long>(seed_running));
}

Outcome run_seed(std::uint64_t seed, Mutant mutant, Trace::Detail detail) {
    seed_running = seed;
    return World(Choices(seed), detail, mutant).run();
}

// ---- all seeds ----------------------------------------------------------------------------------

std::vector<Outcome> run_all(const Arguments& arguments) {
    std::vector<Outcome> outcomes(arguments.last - arguments.first + 1);
#ifdef __EMSCRIPTEN__
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        outcomes[i] = run_seed(arguments.first + i, arguments.mutant, Trace::Detail::hash);
    }
#else
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < arguments.threads; ++t) {
        threads.emplace_back([&] {
            for (std::size_t i = next++; i < outcomes.size(); i = next++) {
                outcomes[i] = run_seed(arguments.first + i, arguments.mutant, Trace::Detail::hash);
            }
        });
    }
    for (auto& thread : threads) thread.join();
#endif
    return outcomes;
}

struct Sum {
    std::uint64_t hash = 0;
    std::uint64_t events = 0;
    std::uint64_t messages = 0;
    std::uint64_t crashes = 0;
    std::uint64_t milliseconds = 0;
    std::uint64_t failed_seeds = 0;
    FaultCounts faults = {};
    std::array<std::uint64_t, breach_count> breaches = {};

    std::uint64_t fault(Fault fault) const { return faults[static_cast<std::size_t>(fault)]; }
    std::uint64_t breach(Breach breach) const { return breaches[static_cast<std::size_t>(breach)]; }
};

Sum add_up(const std::vector<Outcome>& outcomes) {
    Sum sum;
    TraceHash hash;
    for (const auto& outcome : outcomes) {
        hash.add(outcome.trace_hash);
        sum.events += outcome.events;
        sum.messages += outcome.messages;
        sum.crashes += outcome.crashes;
        sum.milliseconds += static_cast<std::uint64_t>(outcome.simulated.count());
        sum.failed_seeds += outcome.violations.empty() ? 0 : 1;
        for (std::size_t i = 0; i < fault_count; ++i) sum.faults[i] += outcome.faults[i];
        for (const auto& violation : outcome.violations) {
            ++sum.breaches[static_cast<std::size_t>(violation.breach)];
        }
    }
    sum.hash = hash.value();
    return sum;
}

// ---- what is printed ----------------------------------------------------------------------------

void print_failure(const Arguments& arguments, std::uint64_t seed) {
    const Outcome outcome = run_seed(seed, arguments.mutant, Trace::Detail::text);
    const std::size_t count = outcome.trace.size();
    const std::size_t from = count > trace_lines_shown ? count - trace_lines_shown : 0;
    std::printf("\nseed %llu\n", static_cast<unsigned long long>(seed));
    for (std::size_t i = from; i < count; ++i) std::printf("  %s\n", outcome.trace[i].c_str());
    for (const auto& violation : outcome.violations) {
        std::printf("  %s: %s\n", breach_name(violation.breach), violation.what.c_str());
    }
    const std::string planted =
        arguments.mutant == Mutant::none
            ? ""
            : std::string(" --mutant ") + mutant_name(arguments.mutant);
    std::printf("  replay: build/bin/oncewire-sim --seeds %llu..%llu%s --trace\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed),
                planted.c_str());
}

void print_failures(const Arguments& arguments, const std::vector<Outcome>& outcomes) {
    std::size_t shown = 0;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i].violations.empty()) continue;
        if (shown++ < failures_shown) {
            print_failure(arguments, arguments.first + i);
        } else {
            const auto& violation = outcomes[i].violations.front();
            std::printf("seed %llu: %s: %s\n", static_cast<unsigned long long>(arguments.first + i),
                        breach_name(violation.breach), violation.what.c_str());
        }
    }
}

void print_counts(const Arguments& arguments, const Sum& sum) {
    for (std::uint32_t i = 0; i < fault_count; ++i) {
        std::printf("%-22s %10llu\n", fault_name(static_cast<Fault>(i)),
                    static_cast<unsigned long long>(sum.faults[i]));
    }
    std::printf("%llu events, %llu messages, %llu crashes, %llu of %llu seeds with a violation\n",
                static_cast<unsigned long long>(sum.events),
                static_cast<unsigned long long>(sum.messages),
                static_cast<unsigned long long>(sum.crashes),
                static_cast<unsigned long long>(sum.failed_seeds),
                static_cast<unsigned long long>(arguments.last - arguments.first + 1));
}

void print_json(const Arguments& arguments, const Sum& sum) {
    std::printf("{\"seeds\":%llu,\"hours\":%.1f,\"messages\":%llu,\"crashes\":%llu,\"cuts\":%llu,"
                "\"refreshes\":%llu",
                static_cast<unsigned long long>(arguments.last - arguments.first + 1),
                static_cast<double>(sum.milliseconds) / 3'600'000.0,
                static_cast<unsigned long long>(sum.messages),
                static_cast<unsigned long long>(sum.crashes),
                static_cast<unsigned long long>(sum.fault(Fault::link_cut)),
                static_cast<unsigned long long>(sum.fault(Fault::refresh)));
    for (std::uint32_t i = 0; i < breach_count; ++i) {
        std::printf(",\"%s\":%llu", breach_name(static_cast<Breach>(i)),
                    static_cast<unsigned long long>(sum.breaches[i]));
    }
    std::printf(",\"trace_hash\":\"%016llx\"}\n", static_cast<unsigned long long>(sum.hash));
}

// ---- the ways to run ----------------------------------------------------------------------------

int run_range(const Arguments& arguments) {
    const auto outcomes = run_all(arguments);
    const Sum sum = add_up(outcomes);
    print_failures(arguments, outcomes);
    print_counts(arguments, sum);
    bool idle_class = false;
    for (std::uint32_t i = 0; i < fault_count; ++i) {
        if (outcomes.size() < all_classes_from || sum.faults[i] > 0) continue;
        std::printf("%s never struck: it proves nothing\n", fault_name(static_cast<Fault>(i)));
        idle_class = true;
    }
    print_json(arguments, sum);
    return sum.failed_seeds == 0 && !idle_class ? 0 : 1;
}

int run_traced(const Arguments& arguments) {
    bool clean = true;
    for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
        const Outcome outcome = run_seed(seed, arguments.mutant, Trace::Detail::text);
        for (const auto& line : outcome.trace) std::printf("%s\n", line.c_str());
        for (const auto& violation : outcome.violations) {
            std::printf("%s: %s\n", breach_name(violation.breach), violation.what.c_str());
            clean = false;
        }
    }
    return clean ? 0 : 1;
}

/// Which seed sets off the alarm, and how.
bool is_caught(const Arguments& arguments, Mutant mutant) {
    for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
        const Outcome outcome = run_seed(seed, mutant, Trace::Detail::hash);
        if (outcome.violations.empty()) continue;
        const auto& violation = outcome.violations.front();
        std::printf("%-24s caught by seed %llu: %s: %.120s\n", mutant_name(mutant),
                    static_cast<unsigned long long>(seed), breach_name(violation.breach),
                    violation.what.c_str());
        return true;
    }
    std::printf("%-24s SURVIVES %llu seeds\n", mutant_name(mutant),
                static_cast<unsigned long long>(arguments.last - arguments.first + 1));
    return false;
}

int run_mutants(const Arguments& arguments) {
    std::uint32_t survivors = 0;
    for (std::uint32_t i = 1; i < mutant_count; ++i) {
        if (!is_caught(arguments, static_cast<Mutant>(i))) ++survivors;
    }
    std::printf("%u of %u planted bugs caught\n", mutant_count - 1 - survivors, mutant_count - 1);
    return survivors == 0 ? 0 : 1;
}

int list_mutants() {
    for (std::uint32_t i = 1; i < mutant_count; ++i) {
        std::printf("%s\n", mutant_name(static_cast<Mutant>(i)));
    }
    return 0;
}

// ---- the command line ---------------------------------------------------------------------------

template <class Number>
bool parse(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

bool parse_seeds(std::string_view text, Arguments& arguments) {
    const auto dots = text.find("..");
    if (dots == std::string_view::npos) return false;
    return parse(text.substr(0, dots), arguments.first) &&
           parse(text.substr(dots + 2), arguments.last) && arguments.first <= arguments.last;
}

std::optional<Arguments> parse(int count, char** texts) {
    Arguments arguments;
    for (int i = 1; i < count; ++i) {
        const std::string_view flag = texts[i];
        const auto value = [&]() -> std::string_view { return i + 1 < count ? texts[++i] : ""; };
        bool good = true;
        if (flag == "--seeds") {
            good = parse_seeds(value(), arguments);
        } else if (flag == "--threads") {
            good = parse(value(), arguments.threads) && arguments.threads > 0;
        } else if (flag == "--trace") {
            arguments.trace = true;
        } else if (flag == "--mutants") {
            arguments.all_mutants = true;
        } else if (flag == "--canary") {
            arguments.canary = true;
        } else if (flag == "--mutant") {
            const auto mutant = find_mutant(value());
            good = mutant.has_value();
            arguments.mutant = mutant.value_or(Mutant::none);
        } else {
            good = false;
        }
        if (!good) return std::nullopt;
    }
    return arguments;
}

int run(int count, char** texts) {
    if (count == 2 && std::strcmp(texts[1], "--list-mutants") == 0) return list_mutants();
    if (count == 2 && std::strcmp(texts[1], "--help") == 0) {
        std::printf("%s", usage);
        return 0;
    }
    const auto arguments = parse(count, texts);
    if (!arguments) {
        std::fprintf(stderr, "%s", usage);
        return 2;
    }
    std::signal(SIGABRT, tell_seed);
    if (arguments->all_mutants) return run_mutants(*arguments);
    if (arguments->canary) return is_caught(*arguments, canary) ? 0 : 1;
    return arguments->trace ? run_traced(*arguments) : run_range(*arguments);
}

}  // namespace
}  // namespace oncewire::sim

int main(int count, char** texts) { return oncewire::sim::run(count, texts); }
