#include "tests/sim/exhaustive.hpp"

#include <algorithm>

#include "tests/sim/small_world.hpp"

namespace oncewire::sim {

ExhaustiveOutcome live_through_all(const SmallSpace& space, Mutant mutant) {
    ExhaustiveOutcome outcome;
    Odometer odometer;
    do {
        SmallWorld world(space, mutant, odometer);
        world.run();
        ++outcome.worlds;
        outcome.steps += world.steps();
        outcome.longest = std::max(outcome.longest, world.steps());
        outcome.violation = world.violation();
        if (!outcome.violation.empty()) outcome.choices = odometer.list();
    } while (outcome.violation.empty() && odometer.advance());
    return outcome;
}

}  // namespace oncewire::sim
