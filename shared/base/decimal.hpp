#pragma once

#include <cstdint>
#include <string>

namespace oncewire {

/// Writes `number` behind what `out` holds, without a string of its own on the way.
void append_decimal(std::string& out, std::uint64_t number);

}  // namespace oncewire
