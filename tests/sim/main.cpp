// oncewire-sim: runs simulated worlds, one for each seed, and says whether every promise was kept.
#include <charconv>
#include <csignal>
#include <iomanip>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef __EMSCRIPTEN__
#include <atomic>
#include <thread>
#endif

#include "tests/sim/exhaustive.hpp"
#include "tests/sim/progress.hpp"
#include "tests/sim/report.hpp"
#include "tests/sim/world.hpp"

namespace oncewire::sim {
namespace {

constexpr std::uint64_t repeated_every = 100;
constexpr std::uint64_t failures_shown = 3;

struct Arguments {
    std::uint64_t first = 1;
    std::uint64_t last = 300;
    std::uint32_t threads = 1;
    bool trace = false;
    bool all_mutants = false;
    bool canary = false;
    bool exhaustive = false;
    // A minute in all; two of everything take most of an hour.
    std::vector<SmallSpace> spaces = {{1, 1, 1}, {2, 2, 1}, {1, 1, 2}};
    Mutant mutant = Mutant::none;
};

constexpr const char* usage =
    "usage: oncewire-sim [options]\n"
    "  --seeds A..B     which worlds (1..300; with --mutants 1..5000)\n"
    "  --threads N      how many at a time (1); the result does not depend on it\n"
    "  --trace          print every event; for one seed\n"
    "  --mutant NAME    with this planted bug\n"
    "  --list-mutants   their names\n"
    "  --mutants        every planted bug, each until it is caught; 0 if all were\n"
    "  --exhaustive     every order of steps of small worlds: one of each, two messages and two "
    "crashes,\n"
    "                   two cuts; with M,C,L behind it: so many messages, crashes and cut links\n"
    "  --canary         one planted bug; 0 if it was caught\n";

thread_local std::uint64_t seed_running = 0;

// A broken VERIFY ends the process; this says which world did it.
void tell_seed(int) {
    std::cout << "seed " << seed_running << " ended the process\n  replay: build/bin/oncewire-sim"
              << " --seeds " << seed_running << ".." << seed_running << " --trace" << std::endl;
}

Outcome run_seed(std::uint64_t seed, Mutant mutant, Trace::Detail detail) {
    seed_running = seed;
    return World(Choices(seed), detail, mutant).run();
}

/// Lives through every hundredth world again, from the list of its choices: the same list must give the
/// same run, or nothing here could be replayed.
Outcome run_checked(std::uint64_t seed, Mutant mutant) {
    if (seed % repeated_every != 0) return run_seed(seed, mutant, Trace::Detail::hash);
    seed_running = seed;
    Choices choices(seed);
    choices.record();
    Outcome outcome = World(std::move(choices), Trace::Detail::hash, mutant).run();
    Choices list(std::exchange(outcome.choices, {}));
    const Outcome again = World(std::move(list), Trace::Detail::hash, mutant).run();
    if (again.trace_hash != outcome.trace_hash) {
        outcome.violations.push_back({Breach::unrepeatable, {}, "the same choices, another run"});
    }
    return outcome;
}

// ---- all seeds ----------------------------------------------------------------------------------

/// Outcomes come from any thread, whenever a world ends, and are taken in the order of their seeds: what
/// is printed and hashed does not depend on the threads. A failure is printed as soon as it is its turn.
class Outcomes {
  public:
    explicit Outcomes(const Arguments& arguments)
        : mutant_(arguments.mutant), next_(arguments.first) {}

    void add(std::uint64_t seed, Outcome outcome) {
        const std::lock_guard lock(mutex_);
        waiting_.emplace(seed, std::move(outcome));
        for (; !waiting_.empty() && waiting_.begin()->first == next_; ++next_) {
            take(next_, waiting_.extract(waiting_.begin()).mapped());
        }
    }
    /// Of all that were added; nobody adds any more.
    const Sum& sum() const { return sum_; }

  private:
    void take(std::uint64_t seed, const Outcome& outcome) {
        sum_.add(outcome);
        if (outcome.violations.empty()) return;
        if (sum_.failed_seeds > failures_shown) {
            return print_breach(seed, outcome.violations.front());
        }
        const auto again = run_seed(seed, mutant_, Trace::Detail::text);
        print_failure(seed, mutant_, again.violations.empty() ? outcome : again);
    }

    const Mutant mutant_;
    std::mutex mutex_;
    std::uint64_t next_;
    std::map<std::uint64_t, Outcome> waiting_;
    Sum sum_;
};

void run_all(const Arguments& arguments, Outcomes& outcomes) {
    Progress progress(arguments.last - arguments.first + 1);
    const auto run_one = [&](std::uint64_t seed) {
        outcomes.add(seed, run_checked(seed, arguments.mutant));
        progress.add_world();
    };
#ifdef __EMSCRIPTEN__
    for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) run_one(seed);
#else
    std::atomic<std::uint64_t> next{arguments.first};
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < arguments.threads; ++t) {
        threads.emplace_back([&] {
            for (auto seed = next++; seed <= arguments.last; seed = next++) run_one(seed);
        });
    }
    for (auto& thread : threads) thread.join();
#endif
}

// ---- the ways to run ----------------------------------------------------------------------------

int run_range(const Arguments& arguments) {
    Outcomes outcomes(arguments);
    run_all(arguments, outcomes);
    const Sum& sum = outcomes.sum();
    const bool all_struck = print_counts(sum);
    print_json(sum);
    return sum.failed_seeds == 0 && all_struck ? 0 : 1;
}

int run_traced(const Arguments& arguments) {
    bool clean = true;
    for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
        const Outcome outcome = run_seed(seed, arguments.mutant, Trace::Detail::text);
        for (const auto& line : outcome.trace) std::cout << line << '\n';
        for (const auto& violation : outcome.violations) print_breach(seed, violation);
        clean = clean && outcome.violations.empty();
    }
    return clean ? 0 : 1;
}

/// Says which seed sets off the alarm, and how.
bool is_caught(const Arguments& arguments, Mutant mutant) {
    std::cout << std::left << std::setw(26) << mutant_name(mutant);
    for (std::uint64_t seed = arguments.first; seed <= arguments.last; ++seed) {
        const Outcome outcome = run_seed(seed, mutant, Trace::Detail::hash);
        if (outcome.violations.empty()) continue;
        std::cout << "caught by ";
        print_breach(seed, outcome.violations.front());
        return true;
    }
    std::cout << "SURVIVES" << std::endl;
    return false;
}

int run_mutants(const Arguments& arguments) {
    std::uint32_t caught = 0;
    for (std::uint32_t i = 1; i < mutant_count; ++i) {
        if (is_caught(arguments, static_cast<Mutant>(i))) ++caught;
    }
    std::cout << caught << " of " << mutant_count - 1 << " planted bugs caught" << std::endl;
    return caught == mutant_count - 1 ? 0 : 1;
}

int list_mutants() {
    for (std::uint32_t i = 1; i < mutant_count; ++i) {
        std::cout << mutant_name(static_cast<Mutant>(i)) << '\n';
    }
    return 0;
}

int run_exhaustive(const Arguments& arguments) {
    std::uint64_t worlds = 0;
    std::uint64_t states = 0;
    std::uint64_t steps = 0;
    std::string violation;
    Progress progress;
    for (const SmallSpace& space : arguments.spaces) {
        const ExhaustiveOutcome outcome = live_through_all(
            space, arguments.mutant, Search::every_state, [&] { progress.add_world(); });
        worlds += outcome.worlds;
        states += outcome.states;
        steps += outcome.steps;
        violation = outcome.violation;
        std::cout << space.messages << " messages, " << space.crashes << " crashes, " << space.cuts
                  << " cuts: " << outcome.worlds << " worlds through " << outcome.states
                  << " states, the longest of " << outcome.longest << " steps" << std::endl;
        if (violation.empty()) continue;
        std::cout << violation << "\n  choices:";
        for (const auto choice : outcome.choices) std::cout << ' ' << choice;
        std::cout << std::endl;
        break;
    }
    std::cout << "{\"exhaustive\":true,\"worlds\":" << worlds << ",\"states\":" << states
              << ",\"steps\":" << steps << ",\"violations\":" << (violation.empty() ? 0 : 1) << "}"
              << std::endl;
    return violation.empty() ? 0 : 1;
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

bool parse_space(std::string_view text, Arguments& arguments) {
    const auto first = text.find(','), second = text.rfind(',');
    if (first == second) return false;
    arguments.spaces = {{}};
    SmallSpace& space = arguments.spaces.front();
    return parse(text.substr(0, first), space.messages) &&
           parse(text.substr(first + 1, second - first - 1), space.crashes) &&
           parse(text.substr(second + 1), space.cuts);
}

std::optional<Arguments> parse(int count, char** texts) {
    Arguments arguments;
    bool seeds_given = false;
    for (int i = 1; i < count; ++i) {
        const std::string_view flag = texts[i];
        const auto value = [&]() -> std::string_view { return i + 1 < count ? texts[++i] : ""; };
        bool good = true;
        if (flag == "--seeds") {
            good = seeds_given = parse_seeds(value(), arguments);
        } else if (flag == "--threads") {
            good = parse(value(), arguments.threads) && arguments.threads > 0;
        } else if (flag == "--trace") {
            arguments.trace = true;
        } else if (flag == "--mutants") {
            arguments.all_mutants = true;
        } else if (flag == "--exhaustive") {
            arguments.exhaustive = true;
            const bool has_space = i + 1 < count && texts[i + 1][0] != '-';
            if (has_space) good = parse_space(value(), arguments);
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
    if (arguments.all_mutants && !seeds_given) arguments.last = 5'000;
    return arguments;
}

int run(int count, char** texts) {
    const std::string_view only = count == 2 ? texts[1] : "";
    if (only == "--list-mutants") return list_mutants();
    if (only == "--help") {
        std::cout << usage;
        return 0;
    }
    const auto arguments = parse(count, texts);
    if (!arguments) {
        std::cerr << usage;
        return 2;
    }
    std::signal(SIGABRT, tell_seed);
    if (arguments->all_mutants) return run_mutants(*arguments);
    if (arguments->exhaustive) return run_exhaustive(*arguments);
    if (arguments->canary) return is_caught(*arguments, canary) ? 0 : 1;
    return arguments->trace ? run_traced(*arguments) : run_range(*arguments);
}

}  // namespace
}  // namespace oncewire::sim

int main(int count, char** texts) { return oncewire::sim::run(count, texts); }
