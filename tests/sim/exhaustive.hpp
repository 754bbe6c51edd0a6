#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/mutants.hpp"

namespace oncewire::sim {

/// How much may go wrong in one small world, and how much is said in it.
struct SmallSpace {
    std::uint32_t messages = 2;
    std::uint32_t crashes = 2;  ///< of the server
    std::uint32_t cuts = 2;     ///< of the link, each side learning of it in its own time
};

/// What all of them came to.
struct ExhaustiveOutcome {
    std::uint64_t worlds = 0;
    std::uint64_t steps = 0;
    std::uint32_t longest = 0;  ///< steps of one world
    std::string violation;      ///< of the first bad one; empty: none
    std::vector<std::uint32_t> choices;
};

/// Lives through every way in which the batches of one sequencer can end, the server can learn of the end
/// of a link, and so many crashes and cuts can fall between the steps of one browser and one hub. What
/// random worlds find rarely is found here always, if the space is small enough to hold it. The same
/// deciders as everywhere, over the reference store.
ExhaustiveOutcome live_through_all(const SmallSpace& space, Mutant mutant);

}  // namespace oncewire::sim
