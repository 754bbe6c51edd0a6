// The hub's fuzzer (tests/fuzz/hub_world.hpp) on a corpus of its own, natively and as WebAssembly. A demand that
// does not hold ends the program.
#include <catch2/catch.hpp>

#include "tests/fuzz/hub_world.hpp"

namespace hub_any_application_test {

TEST_CASE("whatever applications do to whatever peers, the hub keeps its demands") {
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        oncewire::Prng prng(seed);
        oncewire::fuzz::play_hub(oncewire::fuzz::any_hub_input(prng));
    }
}

}  // namespace hub_any_application_test
