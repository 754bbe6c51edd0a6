#pragma once

#include <cstdint>
#include <functional>
#include <set>
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

enum class Search : std::uint8_t {
    /// What can follow a state is lived through once, however many paths lead there.
    every_state,
    /// Each from the beginning to the end: shows for a space that a state decides what can follow.
    every_path,
};

/// What all of them came to.
struct ExhaustiveOutcome {
    std::uint64_t worlds = 0;  ///< each up to its end, or to where another one has been
    std::uint64_t states = 0;  ///< in which there was a choice; counted by every_state alone
    std::uint64_t steps = 0;
    std::uint32_t longest = 0;  ///< steps of one world
    std::string violation;      ///< of the first bad one; empty: none
    std::vector<std::uint32_t> choices;
    std::set<std::string> endings;  ///< of the good ones: log, page and server as they were left
};

/// Lives through every way in which the batches of one sequencer can end, the server can learn of the end
/// of a link, and so many crashes and cuts can fall between the steps of one browser and one hub. What
/// random worlds find rarely is found here always, if the space is small enough to hold it. The same
/// deciders as everywhere, over the reference store. `lived` is called after each world.
ExhaustiveOutcome live_through_all(const SmallSpace& space, Mutant mutant,
                                   Search search = Search::every_state,
                                   const std::function<void()>& lived = {});

}  // namespace oncewire::sim
