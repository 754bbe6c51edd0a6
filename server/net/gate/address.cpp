#include "server/net/gate/address.hpp"

#include <algorithm>
#include <charconv>

namespace oncewire::net {
namespace {

using Groups = std::array<std::uint16_t, 8>;

constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

/// All of `text` as a number of at most `digits` digits; "+1", " 1" and "" are none.
std::optional<unsigned> whole_number(std::string_view text, int base, std::size_t digits) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole && text.size() <= digits ? std::optional(value) : std::nullopt;
}

/// "192.0.2.1". A leading zero means octal to some readers, so it is refused.
std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
    std::uint32_t value = 0;
    for (int part = 0; part < 4; ++part) {
        const std::string_view digits = text.substr(0, text.find('.'));
        const auto byte = whole_number(digits, 10, 3);
        if (!byte || *byte > 255 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
        value = value << 8 | *byte;
        const bool is_last = digits.size() == text.size();
        if (is_last != (part == 3)) return std::nullopt;
        text.remove_prefix(std::min(digits.size() + 1, text.size()));
    }
    return value;
}

/// "2001:db8", and at the end of an address "ffff:192.0.2.1": groups without "::" between them. None: not
/// that.
std::optional<std::vector<std::uint16_t>> parse_groups(std::string_view text, bool at_end) {
    std::vector<std::uint16_t> groups;
    while (!text.empty()) {
        const std::string_view group = text.substr(0, text.find(':'));
        const bool is_last = group.size() == text.size();
        if (const auto ipv4 = is_last && at_end ? parse_ipv4(group) : std::nullopt) {
            groups.push_back(static_cast<std::uint16_t>(*ipv4 >> 16));
            groups.push_back(static_cast<std::uint16_t>(*ipv4 & 0xffff));
        } else if (const auto value = whole_number(group, 16, 4)) {
            groups.push_back(static_cast<std::uint16_t>(*value));
        } else {
            return std::nullopt;
        }
        if (groups.size() > 8 || (!is_last && group.size() + 1 == text.size())) return std::nullopt;
        text.remove_prefix(std::min(group.size() + 1, text.size()));
    }
    return groups;
}

/// [RFC4291 2.2]
std::optional<Groups> parse_ipv6(std::string_view text) {
    const std::size_t gap = text.find("::");
    const auto front = parse_groups(text.substr(0, gap), gap == text.npos);
    const auto back = parse_groups(gap == text.npos ? "" : text.substr(gap + 2), true);
    if (!front || !back) return std::nullopt;
    const std::size_t written = front->size() + back->size();
    if (gap == text.npos ? written != 8 : written > 7) return std::nullopt;
    Groups groups{};
    std::copy(front->begin(), front->end(), groups.begin());
    std::copy_backward(back->begin(), back->end(), groups.end());
    return groups;
}

void append_hex(std::string& out, unsigned value) {
    char digits[4];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    out.append(digits, end);
}

struct Run {
    std::size_t begin = 0;
    std::size_t length = 0;
};

/// The first of the longest runs of zeros. [RFC5952 4.2]
Run longest_zeros(const Groups& groups) {
    Run longest, run;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (groups[i] != 0) {
            run = {i + 1, 0};
        } else if (++run.length > longest.length) {
            longest = run;
        }
    }
    return longest.length > 1 ? longest : Run{groups.size(), 0};
}

std::string ipv6_text(const Groups& groups) {
    const Run zeros = longest_zeros(groups);
    std::string text;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (i == zeros.begin) {
            text += "::";
            i += zeros.length - 1;
            continue;
        }
        if (i > 0 && i != zeros.begin + zeros.length) text += ':';
        append_hex(text, groups[i]);
    }
    return text;
}

std::string block_text(std::string_view address, unsigned ipv6_bits) {
    const auto parsed = IpAddress::parse(address);
    if (!parsed) return std::string(address);
    if (parsed->is_ipv4()) return parsed->text();
    return parsed->first_of(ipv6_bits).text() + '/' + std::to_string(ipv6_bits);
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (const auto ipv4 = parse_ipv4(text)) {
        IpAddress address;
        std::copy(mapped.begin(), mapped.end(), address.bytes_.begin());
        for (unsigned i = 0; i < 4; ++i) {
            address.bytes_[12 + i] = static_cast<std::uint8_t>(*ipv4 >> (24 - 8 * i));
        }
        return address;
    }
    const auto groups = parse_ipv6(text.substr(0, text.find('%')));
    if (!groups) return std::nullopt;
    IpAddress address;
    for (std::size_t i = 0; i < groups->size(); ++i) {
        address.bytes_[2 * i] = static_cast<std::uint8_t>((*groups)[i] >> 8);
        address.bytes_[2 * i + 1] = static_cast<std::uint8_t>((*groups)[i] & 0xff);
    }
    return address;
}

std::optional<IpAddress> IpAddress::from_bytes(std::string_view bytes) {
    if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
    IpAddress address;
    std::copy(mapped.begin(), mapped.end(), address.bytes_.begin());
    std::copy_backward(bytes.begin(), bytes.end(), address.bytes_.end());
    return address;
}

bool IpAddress::is_ipv4() const { return std::equal(mapped.begin(), mapped.end(), bytes_.begin()); }

bool IpAddress::is_loopback() const {
    if (is_ipv4()) return bytes_[12] == 127;
    return bytes_[15] == 1 &&
           std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; });
}

std::string IpAddress::text() const {
    if (!is_ipv4()) {
        Groups groups;
        for (std::size_t i = 0; i < groups.size(); ++i) {
            groups[i] = static_cast<std::uint16_t>(bytes_[2 * i] << 8 | bytes_[2 * i + 1]);
        }
        return ipv6_text(groups);
    }
    std::string text;
    for (std::size_t i = mapped.size(); i < bytes_.size(); ++i) {
        text += (text.empty() ? "" : ".") + std::to_string(bytes_[i]);
    }
    return text;
}

IpAddress IpAddress::first_of(unsigned bits) const {
    const unsigned kept = is_ipv4() ? bits + mapped_bits : bits;
    IpAddress first = *this;
    for (unsigned i = 0; i < first.bytes_.size(); ++i) {
        const unsigned of_byte = std::clamp(static_cast<int>(kept) - static_cast<int>(8 * i), 0, 8);
        first.bytes_[i] &= static_cast<std::uint8_t>(0xff00u >> of_byte);
    }
    return first;
}

std::optional<IpBlock> IpBlock::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const unsigned most = address->is_ipv4() ? 32 : 128;
    const auto bits = slash == text.npos ? most : whole_number(text.substr(slash + 1), 10, 3);
    if (!bits || *bits > most) return std::nullopt;
    return IpBlock(address->first_of(*bits), *bits);
}

bool IpBlock::contains(const IpAddress& address) const {
    return address.is_ipv4() == first_.is_ipv4() && address.first_of(bits_) == first_;
}

std::string IpBlock::text() const { return first_.text() + '/' + std::to_string(bits_); }

bool is_in(const std::vector<IpBlock>& blocks, const IpAddress& address) {
    return std::any_of(blocks.begin(), blocks.end(),
                       [&](const IpBlock& block) { return block.contains(address); });
}

std::string network_of(std::string_view address) {
    constexpr unsigned of_one_customer = 64;
    return block_text(address, of_one_customer);
}

std::string site_of(std::string_view address) {
    constexpr unsigned of_one_site = 48;
    return block_text(address, of_one_site);
}

}  // namespace oncewire::net
