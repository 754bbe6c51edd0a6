#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "shared/base/give_back.hpp"

namespace base_give_back_test {

using namespace oncewire;

TEST_CASE("what is given back keeps no memory") {
    std::string text(1'000'000, 'x');
    give_back(text);
    CHECK(text.empty());
    CHECK(text.capacity() < 100);
    std::vector<std::string> several(1000, std::string(1000, 'x'));
    give_back(several);
    CHECK(several.capacity() == 0);
}

}  // namespace base_give_back_test
