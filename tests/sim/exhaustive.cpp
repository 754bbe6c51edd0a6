#include "tests/sim/exhaustive.hpp"

#include <algorithm>

#include "tests/sim/known_states.hpp"
#include "tests/sim/small_world.hpp"

namespace oncewire::sim {

ExhaustiveOutcome live_through_all(const SmallSpace& space, Mutant mutant, Search search,
                                   const std::function<void()>& lived) {
    ExhaustiveOutcome outcome;
    Odometer odometer;
    KnownStates known;
    do {
        SmallWorld world(space, mutant, search, odometer, known);
        world.run();
        ++outcome.worlds;
        outcome.steps += world.steps();
        outcome.longest = std::max(outcome.longest, world.steps());
        outcome.violation = world.violation();
        if (!outcome.violation.empty()) {
            outcome.choices = odometer.list();
        } else if (!world.is_known()) {
            outcome.endings.insert(world.ending());
        }
        if (lived) lived();
    } while (outcome.violation.empty() && odometer.advance());
    outcome.states = known.count();
    return outcome;
}

}  // namespace oncewire::sim
