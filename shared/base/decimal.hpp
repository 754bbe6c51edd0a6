#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace oncewire {

/// Writes `number` behind what `out` holds, without a string of its own on the way.
void append_decimal(std::string& out, std::uint64_t number);

/// The number that all of `digits` are; none if there is no digit, anything else, or more than 2^64 - 1.
std::optional<std::uint64_t> parse_decimal(std::string_view digits);

}  // namespace oncewire
