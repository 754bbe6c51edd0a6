#include "shared/delivery/producer.hpp"

namespace oncewire::delivery {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

Digest digest(std::string_view message, std::uint64_t salt) {
    constexpr std::uint64_t offset_basis = 14695981039346656037u;  // FNV-1a, 64 bit
    constexpr std::uint64_t prime = 1099511628211u;
    std::uint64_t hash = offset_basis;
    for (int shift = 0; shift < 64; shift += 8) hash = (hash ^ ((salt >> shift) & 0xff)) * prime;
    for (const char c : message) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
    return hash;
}

std::string hex(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 15];
    }
    return text;
}

std::string format_digest(Digest digest) {
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; digest >>= 4) text[i] = hex_digits[digest & 15];
    return text;
}

std::optional<Digest> parse_digest(std::string_view text) {
    if (text.size() != 16) return std::nullopt;
    Digest digest = 0;
    for (const char c : text) {
        if (!is_hex_digit(c)) return std::nullopt;
        digest = (digest << 4) | static_cast<Digest>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return digest;
}

bool is_producer_token(std::string_view text) {
    if (text.size() != 32) return false;
    for (const char c : text) {
        if (!is_hex_digit(c)) return false;
    }
    return true;
}

}  // namespace oncewire::delivery
