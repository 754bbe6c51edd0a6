#pragma once

#include "tests/sim/choices.hpp"
#include "tests/sim/event_heap.hpp"
#include "tests/sim/faults.hpp"
#include "tests/sim/invariants.hpp"
#include "tests/sim/mutants.hpp"
#include "tests/sim/trace.hpp"

namespace oncewire::sim {

/// What every simulated thing is given instead of a world of its own: chance, time, faults, a diary,
/// and the witness it answers to.
struct Env {
    Env(Choices choices_, Trace::Detail detail, Mutant mutant_)
        : choices(std::move(choices_)),
          faults(choices),
          trace(detail),
          witness(heap),
          mutant(mutant_) {}
    Env(const Env&) = delete;
    Env& operator=(const Env&) = delete;

    Instant now() const { return heap.now(); }
    void note(std::string_view what, std::uint64_t a = 0, std::uint64_t b = 0,
              std::string_view text = {}) {
        trace.note(heap.now(), what, a, b, text);
    }

    Choices choices;
    EventHeap heap;
    Faults faults;
    Trace trace;
    Witness witness;
    Mutant mutant;
};

}  // namespace oncewire::sim
