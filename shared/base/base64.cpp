#include "shared/base/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace oncewire::base64 {

namespace {

constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> digit_values() {
    std::array<std::uint8_t, 256> values{};
    for (auto& value : values) value = no_digit;
    for (std::uint8_t i = 0; i < 64; ++i) {
        values[static_cast<std::uint8_t>(standard_alphabet[i])] = i;
        values[static_cast<std::uint8_t>(url_alphabet[i])] = i;
    }
    return values;
}
constexpr auto digit_value = digit_values();

std::string encode_with(std::string_view alphabet, std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    std::uint32_t bit_count = 0;
    for (const char byte : bytes) {
        bits = (bits << 8) | static_cast<std::uint8_t>(byte);
        bit_count += 8;
        while (bit_count >= 6) {
            bit_count -= 6;
            out += alphabet[(bits >> bit_count) & 63];
        }
    }
    if (bit_count > 0) out += alphabet[(bits << (6 - bit_count)) & 63];
    return out;
}

/// `text` without its padding; none if the padding is not what its length demands.
std::optional<std::string_view> strip_padding(std::string_view text) {
    const std::size_t length = text.size();
    std::size_t padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=') ++padding;
    if (padding > 0 && length % 4 != 0) return std::nullopt;
    return text.substr(0, length - padding);
}

}  // namespace

std::string encode(std::string_view bytes) {
    std::string out = encode_with(standard_alphabet, bytes);
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

std::string encode_url(std::string_view bytes) { return encode_with(url_alphabet, bytes); }

std::optional<std::string> decode(std::string_view text) {
    const auto digits = strip_padding(text);
    if (!digits || digits->size() % 4 == 1) return std::nullopt;
    std::string out;
    out.reserve(digits->size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    std::uint32_t bit_count = 0;
    for (const char digit : *digits) {
        const std::uint8_t value = digit_value[static_cast<std::uint8_t>(digit)];
        if (value == no_digit) return std::nullopt;
        bits = (bits << 6) | value;
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        out += static_cast<char>((bits >> bit_count) & 0xFF);
    }
    // Left-over bits that are not zero would give one text many spellings.
    if ((bits & ((1u << bit_count) - 1)) != 0) return std::nullopt;
    return out;
}

std::optional<std::string> decode_wrapped(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    if (text.find_first_of(blanks) == text.npos) return decode(text);
    std::string digits(text);
    std::erase_if(digits, [&](char c) { return blanks.find(c) != blanks.npos; });
    return decode(digits);
}

}  // namespace oncewire::base64
