#include "server/net/gate/refusals.hpp"

#include <catch2/catch.hpp>

namespace refusals_test {

using namespace oncewire;
using net::Refusals;

TEST_CASE("a refusal is told with both values and the key that would allow it", "[refusals]") {
    Refusals refusals;
    CHECK(
        refusals.note(Refusals::What::host, "evil.example:80", "http://evil.example", Instant{}) ==
        "refused the Host \"evil.example:80\" (Origin \"http://evil.example\"): if this server "
        "goes by "
        "that name, add it to names in [server]");
    const auto line =
        refusals.note(Refusals::What::origin, "chat.example", "https://a\"\x01\n", Instant{});
    REQUIRE(line);
    CHECK(line->find("Origin \"https://a\\\"\\u0001\\n\" (Host \"chat.example\")") != line->npos);
    CHECK(line->find("origins in [server]") != line->npos);
    CHECK(refusals.counts().hosts == 1);
    CHECK(refusals.counts().origins == 1);
}

TEST_CASE("a flood of refusals is counted, and told twenty times a minute", "[refusals]") {
    Refusals refusals;
    Instant now{};
    std::size_t lines = 0, bytes = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto line = refusals.note(Refusals::What::origin, "h", std::string(8000, 'x'), now);
        lines += line ? 1 : 0;
        bytes += line ? line->size() : 0;
    }
    CHECK(lines == Refusals::lines_max);
    CHECK(bytes < 1000 * lines);
    CHECK(refusals.counts().origins == 1000);
    now += Refusals::period;
    CHECK(refusals.note(Refusals::What::origin, "h", "o", now));
}

}  // namespace refusals_test
