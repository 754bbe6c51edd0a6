#include "shared/base/utf8.hpp"

#include <cstddef>
#include <cstring>

namespace oncewire::utf8 {

namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080u;

/// The first byte that is not ASCII, eight bytes at a time: most text is ASCII.
const char* skip_ascii(const char* position, const char* end) {
    while (end - position >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, position, sizeof word);
        if ((word & high_bits) != 0) break;
        position += 8;
    }
    while (position != end && static_cast<unsigned char>(*position) < 0x80) ++position;
    return position;
}

struct Form {
    std::uint32_t length = 0;
    // Bounds of the second byte; they exclude overlong forms, surrogates and what is beyond U+10FFFF.
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xBF;
};

/// What a first byte announces [RFC3629 4].
Form form_of(std::uint8_t first) {
    if (first < 0x80) return {1};
    if (first < 0xC2) return {};
    if (first < 0xE0) return {2};
    if (first == 0xE0) return {3, 0xA0};
    if (first == 0xED) return {3, 0x80, 0x9F};
    if (first < 0xF0) return {3};
    if (first == 0xF0) return {4, 0x90};
    if (first < 0xF4) return {4};
    if (first == 0xF4) return {4, 0x80, 0x8F};
    return {};
}

}  // namespace

std::uint32_t sequence_length(const char* position, const char* end) {
    const Form form = form_of(static_cast<std::uint8_t>(*position));
    if (form.length < 2) return form.length;
    if (end - position < static_cast<std::ptrdiff_t>(form.length)) return 0;
    const auto second = static_cast<std::uint8_t>(position[1]);
    if (second < form.low || second > form.high) return 0;
    for (std::uint32_t i = 2; i < form.length; ++i)
        if ((static_cast<std::uint8_t>(position[i]) & 0xC0) != 0x80) return 0;
    return form.length;
}

bool is_valid(std::string_view text) {
    const char* position = text.data();
    const char* const end = position + text.size();
    while ((position = skip_ascii(position, end)) != end) {
        const std::uint32_t length = sequence_length(position, end);
        if (length == 0) return false;
        position += length;
    }
    return true;
}

void append(std::string& out, std::uint32_t code_point) {
    const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
    const auto continuation = [&](std::uint32_t shift) {
        byte(0x80 | ((code_point >> shift) & 0x3F));
    };
    if (code_point < 0x80) {
        byte(code_point);
    } else if (code_point < 0x800) {
        byte(0xC0 | (code_point >> 6));
        continuation(0);
    } else if (code_point < 0x10000) {
        byte(0xE0 | (code_point >> 12));
        continuation(6);
        continuation(0);
    } else {
        byte(0xF0 | (code_point >> 18));
        continuation(12);
        continuation(6);
        continuation(0);
    }
}

}  // namespace oncewire::utf8
