#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oncewire::base64 {

/// Standard alphabet with padding [RFC4648 4].
std::string encode(std::string_view bytes);
/// URL-safe alphabet without padding [RFC4648 5]: the form of every id we make.
std::string encode_url(std::string_view bytes);
/// Either alphabet, with or without padding; none for anything else: spaces, padding of the wrong
/// length, bits left over that are not zero. Stricter than Node, which skips what it does not know.
std::optional<std::string> decode(std::string_view text);
/// The same, after the line ends, tabs and spaces are taken out that some libraries put in. [RFC2045 6.8]
std::optional<std::string> decode_wrapped(std::string_view text);

}  // namespace oncewire::base64
