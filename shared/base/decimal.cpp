#include "shared/base/decimal.hpp"

#include <array>
#include <limits>

namespace oncewire {

// By hand, because the tables of the library's would be charged to every page.

void append_decimal(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits;  // of 2^64
    auto at = digits.end();
    do {
        *--at = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    out.append(at, digits.end());
}

std::optional<std::uint64_t> parse_decimal(std::string_view digits) {
    std::uint64_t number = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (number > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
        number = number * 10 + digit;
    }
    return digits.empty() ? std::nullopt : std::optional(number);
}

}  // namespace oncewire
