#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oncewire::utf8 {

/// Length of the UTF-8 sequence that begins at `position`, 1 to 4; 0 if none does: a stray or missing
/// continuation byte, an overlong form, an encoded surrogate, or beyond U+10FFFF [RFC3629 4].
/// Requires `position` before `end`.
std::uint32_t sequence_length(const char* position, const char* end);

/// True if `text` is nothing but such sequences. Linear time.
bool is_valid(std::string_view text);

/// Appends one code point, which must not be a surrogate.
void append(std::string& out, std::uint32_t code_point);

}  // namespace oncewire::utf8
