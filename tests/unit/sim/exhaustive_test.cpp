// Ending a world where another one has been must leave nothing out.
#include <catch2/catch.hpp>

#include "tests/sim/exhaustive.hpp"

namespace sim_exhaustive_test {

using namespace oncewire::sim;

TEST_CASE("paths that meet have the same endings as paths that do not") {
    for (const SmallSpace& space :
         {SmallSpace{2, 1, 0}, SmallSpace{1, 2, 0}, SmallSpace{1, 0, 1}, SmallSpace{2, 0, 1}}) {
        const auto all = live_through_all(space, Mutant::none, Search::every_path);
        const auto met = live_through_all(space, Mutant::none, Search::every_state);
        CHECK(all.violation.empty());
        CHECK(met.violation.empty());
        CHECK(met.worlds < all.worlds);
        CHECK(met.endings == all.endings);
    }
}

TEST_CASE("a bug that one path shows is found although paths meet") {
    for (const Mutant bug : {Mutant::dedupe_in_memory, Mutant::ack_before_commit}) {
        for (const Search search : {Search::every_path, Search::every_state}) {
            CHECK_FALSE(live_through_all({1, 1, 1}, bug, search).violation.empty());
        }
    }
}

}  // namespace sim_exhaustive_test
