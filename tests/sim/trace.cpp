#include "tests/sim/trace.hpp"

#include <cstdio>

namespace oncewire::sim {
namespace {

constexpr std::size_t shown_bytes = 160;

std::string render(Instant at, std::string_view what, const std::uint64_t (&numbers)[2],
                   std::string_view text) {
    char time[32];
    const auto ms = static_cast<long long>(at.time_since_epoch().count());
    std::snprintf(time, sizeof time, "%6lld.%03lld  ", ms / 1000, ms % 1000);
    std::string line(time);
    int number = 0;
    for (std::size_t i = 0; i < what.size(); ++i) {
        if (what.substr(i, 2) != "{}") {
            line += what[i];
            continue;
        }
        line += std::to_string(numbers[number++ % 2]);
        ++i;
    }
    if (!text.empty()) ((line += "  ") += text.substr(0, shown_bytes));
    if (text.size() > shown_bytes) line += "...";
    return line;
}

}  // namespace

void Trace::note(Instant at, std::string_view what, std::uint64_t a, std::uint64_t b,
                 std::string_view text) {
    hash_.add(static_cast<std::uint64_t>(at.time_since_epoch().count()));
    hash_.add(what);
    hash_.add(a);
    hash_.add(b);
    hash_.add(text);
    if (detail_ == Detail::text) lines_.push_back(render(at, what, {a, b}, text));
}

}  // namespace oncewire::sim
