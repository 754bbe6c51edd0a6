#include "server/chat/words.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "shared/base/json.hpp"
#include "shared/base/utf8.hpp"

namespace oncewire::chat {
namespace {

constexpr char32_t control_end = 0x20;
constexpr char32_t delete_begin = 0x7f, delete_end = 0xa0;

struct Range {
    char32_t first, last;
};
/// Unicode's Default_Ignorable_Code_Point, as the page knows it by that name: what cannot be seen, with
/// which one name could look like another. Marks, embeddings, overrides and isolates are among them: with
/// these a name could rearrange its surroundings.
constexpr Range ignorable[] = {
    {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},   {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x202a, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};
/// Unicode's White_Space but for controls, and the Braille pattern without dots, which is as empty.
constexpr Range blanks[] = {
    {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029},
    {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800}, {0x3000, 0x3000},
};

template <std::size_t N>
bool is_in(char32_t c, const Range (&ranges)[N]) {
    return std::any_of(std::begin(ranges), std::end(ranges),
                       [c](const Range& range) { return c >= range.first && c <= range.last; });
}

bool is_control(char32_t c) { return c < control_end || (c >= delete_begin && c < delete_end); }
bool is_hidden(char32_t c) { return is_control(c) || is_in(c, ignorable); }
bool is_blank(char32_t c) { return is_in(c, blanks); }

/// The next character of text that is known to be UTF-8.
char32_t take_character(std::string_view& rest) {
    const auto byte = [&rest](std::size_t i) {
        return static_cast<char32_t>(static_cast<unsigned char>(rest[i]));
    };
    const std::uint32_t size = utf8::sequence_length(rest.data(), rest.data() + rest.size());
    char32_t c = size == 1 ? byte(0) : byte(0) & (0x7fu >> size);
    for (std::uint32_t i = 1; i < size; ++i) c = (c << 6) | (byte(i) & 0x3f);
    rest.remove_prefix(size);
    return c;
}

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// 2^53: as far as numbers of all languages count.
constexpr std::int64_t offset_max = std::int64_t{1} << 53;

std::optional<delivery::Offset> offset_of(double number) {
    const bool fits = number >= 0 && number <= static_cast<double>(offset_max);
    const auto whole = fits ? static_cast<delivery::Offset>(number) : 0;
    return fits && static_cast<double>(whole) == number ? std::optional(whole) : std::nullopt;
}

/// Digits, and a point with zeros alone behind it.
std::optional<delivery::Offset> offset_of(const std::string& text) {
    const std::size_t point = std::min(text.find('.'), text.size());
    const bool is_whole =
        text.find_first_not_of('0', point + 1) == text.npos && point + 1 != text.size();
    const auto number =
        is_whole ? json::as_integer(std::string_view(text).substr(0, point)) : std::nullopt;
    if (!number || *number < 0 || *number > offset_max) return std::nullopt;
    return static_cast<delivery::Offset>(*number);
}

}  // namespace

std::optional<std::string> clean_name(std::string_view name) {
    if (!utf8::is_valid(name)) return std::nullopt;
    std::string clean;
    std::size_t characters = 0;
    bool blank = false;
    while (!name.empty()) {
        const std::string_view before = name;
        const char32_t c = take_character(name);
        if (is_hidden(c)) continue;
        if (is_blank(c)) {
            blank = !clean.empty();
            continue;
        }
        if (std::exchange(blank, false)) {
            clean += ' ';
            ++characters;
        }
        clean += before.substr(0, before.size() - name.size());
        ++characters;
    }
    const bool fits = characters > 0 && characters <= name_characters_max;
    return fits ? std::optional(std::move(clean)) : std::nullopt;
}

bool is_user_id(std::string_view id) {
    constexpr std::string_view marks = "-_.@:+|";
    return !id.empty() && id.size() <= user_id_bytes_max &&
           std::all_of(id.begin(), id.end(), [&](char c) {
               return is_letter_or_digit(c) || marks.find(c) != marks.npos;
           });
}

bool is_room(std::string_view place) {
    if (!place.starts_with(room_prefix)) return false;
    place.remove_prefix(room_prefix.size());
    return clean_name(place) == place;
}

bool is_person(std::string_view place) {
    return place.starts_with(user_prefix) && is_user_id(place.substr(user_prefix.size()));
}

bool is_picture_id(std::string_view id) {
    return id.size() == picture_id_digits && std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string encode(const Sender& sender) {
    return sender.id + '\n' + sender.network + '\n' + sender.name;
}

Sender decode_sender(std::string_view text) {
    const std::size_t end = text.find('\n');
    const std::size_t second = text.find('\n', end + 1);
    if (end == text.npos || second == text.npos) return {};
    return {std::string(text.substr(0, end)), std::string(text.substr(second + 1)),
            std::string(text.substr(end + 1, second - end - 1))};
}

std::optional<std::string> string_at(const std::vector<std::string_view>& args, std::size_t index) {
    return index < args.size() ? json::as_string(args[index]) : std::nullopt;
}

std::optional<delivery::Offset> offset_at(const std::vector<std::string_view>& args,
                                          std::size_t index) {
    const auto number = index < args.size() ? json::as_integer(args[index]) : std::nullopt;
    if (!number || *number < 0 || *number > offset_max) return std::nullopt;
    return static_cast<delivery::Offset>(*number);
}

std::optional<std::string> string_in(const api::Json& object, const char* name) {
    if (!object.is_object()) return std::nullopt;
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    return found->get_ref<const std::string&>();
}

std::optional<delivery::Offset> offset_in(const api::Json& object, const char* name) {
    if (!object.is_object()) return std::nullopt;
    const auto found = object.find(name);
    if (found == object.end()) return std::nullopt;
    if (found->is_string()) return offset_of(found->get_ref<const std::string&>());
    return found->is_number() ? offset_of(found->get<double>()) : std::nullopt;
}

std::string text_of(const api::Json& json) {
    return json.dump(-1, ' ', false, api::Json::error_handler_t::replace);
}

}  // namespace oncewire::chat
