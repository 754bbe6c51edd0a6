#include "shared/delivery/position.hpp"

#include <charconv>

#include "shared/base/limits.hpp"

namespace oncewire::delivery {
namespace {

constexpr std::size_t epoch_length_max = 32;

bool is_epoch(std::string_view text) {
    if (text.empty() || text.size() > epoch_length_max) return false;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool other = (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!letter && !other) return false;
    }
    return true;
}

std::optional<Offset> parse_offset(std::string_view digits) {
    if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    Offset offset = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size())
        return std::nullopt;
    if (offset > static_cast<Offset>(limits::safe_integer)) return std::nullopt;
    return offset;
}

}  // namespace

std::string format(const Position& position) {
    return position.epoch.text + '.' + std::to_string(position.offset);
}

std::string format(const LinkedPosition& linked) {
    return format(linked.position) + '.' + std::to_string(linked.before);
}

std::optional<Position> parse_position(std::string_view text) {
    if (text.find('.') != text.rfind('.')) return std::nullopt;
    auto linked = parse_linked_position(text);
    return linked ? std::optional(std::move(linked->position)) : std::nullopt;
}

std::optional<LinkedPosition> parse_linked_position(std::string_view text) {
    const auto first = text.find('.');
    if (first == std::string_view::npos || !is_epoch(text.substr(0, first))) return std::nullopt;
    const auto last = text.rfind('.');
    const bool is_linked = first != last;
    const auto end = is_linked ? last : text.size();
    const auto offset = parse_offset(text.substr(first + 1, end - first - 1));
    const auto before = is_linked ? parse_offset(text.substr(last + 1)) : std::optional(Offset{0});
    if (!offset || !before || (is_linked && *before >= *offset)) return std::nullopt;
    return LinkedPosition{{Epoch{std::string(text.substr(0, first))}, *offset}, *before};
}

}  // namespace oncewire::delivery
