#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON as the protocol needs it: check strictly once, then cut slices out of the text.
///
/// Event arguments travel through both ends as the text they came as, so nothing here builds a tree:
/// fan-out copies slices, and the browser hands the slice to its own JSON.parse. Applications that
/// want values use nlohmann/json (server/api) or the browser's parser.
namespace oncewire::json {

/// True if `text` is exactly one JSON value by RFC 8259 (surrounding space, tab, LF, CR allowed), is
/// valid UTF-8 without encoded surrogates, and nests at most `depth_max` arrays and objects
/// (itself at most limits::json_depth). Linear time, constant memory, no recursion.
///
/// Allowed, because JSON allows it: lone surrogate escapes, repeated keys, numbers of any size.
bool is_valid(std::string_view text, std::uint32_t depth_max);

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

// All of the following require text that is_valid() accepted; slices point into that text.

/// `text` without surrounding white space.
std::string_view trim(std::string_view text);
Kind kind_of(std::string_view value);
/// The elements of an array, trimmed. Empty if `value` is not an array (check kind_of() to tell).
std::vector<std::string_view> elements(std::string_view value);
/// The first element of an array, trimmed, without looking at the rest; none if there is none.
std::optional<std::string_view> first_element(std::string_view value);
/// The value of the last member named `key` (last wins, as JSON.parse does); none if absent or if
/// `object` is not an object.
std::optional<std::string_view> member(std::string_view object, std::string_view key);
/// What stands between the braces of an object, trimmed: for writing more members beside it. Empty for
/// `{}` and for empty text.
std::string_view members_text(std::string_view object);
/// The text of a string value, escapes resolved; a lone surrogate escape becomes U+FFFD.
std::optional<std::string> as_string(std::string_view value);
/// True if `value` is a string and its text, escapes resolved, is `utf8`. Usually without a copy.
bool is_text(std::string_view value, std::string_view utf8);
/// An integer value in [-(2^53-1), 2^53-1], written without fraction or exponent.
std::optional<std::int64_t> as_integer(std::string_view value);
std::optional<bool> as_boolean(std::string_view value);

/// Appends `utf8`, which must be valid, as a JSON string with its quotes; escapes what JSON demands
/// and nothing else, in the spelling of JSON.stringify.
void append_quoted(std::string& out, std::string_view utf8);
std::string quoted(std::string_view utf8);

}  // namespace oncewire::json
