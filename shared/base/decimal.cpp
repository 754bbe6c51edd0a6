#include "shared/base/decimal.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace oncewire {

void append_decimal(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits;  // of 2^64
    const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

}  // namespace oncewire
