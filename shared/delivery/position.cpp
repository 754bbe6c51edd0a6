#include "shared/delivery/position.hpp"

#include "shared/base/decimal.hpp"
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
    const auto offset = parse_decimal(digits);
    if (!offset || *offset > static_cast<Offset>(limits::safe_integer)) return std::nullopt;
    return offset;
}

}  // namespace

void append_position(std::string& out, const Epoch& epoch, Offset offset,
                     std::optional<Offset> before) {
    out += epoch.text;
    out += '.';
    append_decimal(out, offset);
    if (!before) return;
    out += '.';
    append_decimal(out, *before);
}

std::string format(const Position& position) {
    std::string text;
    append_position(text, position.epoch, position.offset);
    return text;
}

std::string format(const LinkedPosition& linked) {
    std::string text;
    append_position(text, linked.position.epoch, linked.position.offset, linked.before);
    return text;
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
