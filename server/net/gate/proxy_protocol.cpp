#include "server/net/gate/proxy_protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace oncewire::net {
namespace {

using Answer = Result<std::optional<ProxyHeader>, std::string_view>;

constexpr std::string_view proxy_line_begin = "PROXY ";
constexpr std::string_view proxy_line_end = "\r\n";
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t fixed_bytes =
    16;  // of version 2: signature, version and command, family, length

Answer malformed() { return Err{std::string_view("malformed PROXY header")}; }
Answer incomplete() { return std::optional<ProxyHeader>(); }

/// One begins like the other, as far as the shorter goes.
bool agree(std::string_view a, std::string_view b) {
    const std::size_t size = std::min(a.size(), b.size());
    return a.substr(0, size) == b.substr(0, size);
}

std::string_view take_word(std::string_view& rest) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    return word;
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size();
}

/// "TCP4 192.0.2.1 192.0.2.2 4711 80". "UNKNOWN" may be followed by anything.
Answer read_line(std::string_view received) {
    const std::size_t end = received.substr(0, proxy_line_bytes_max).find(proxy_line_end);
    if (end == received.npos) {
        return received.size() < proxy_line_bytes_max ? incomplete() : malformed();
    }
    ProxyHeader header{end + proxy_line_end.size()};
    std::string_view rest = received.substr(proxy_line_begin.size(), end - proxy_line_begin.size());
    const std::string_view family = take_word(rest);
    if (family == "UNKNOWN") return std::optional(header);
    const auto from = IpAddress::parse(take_word(rest));
    const auto to = IpAddress::parse(take_word(rest));
    const bool has_ports = is_port(take_word(rest)) && is_port(rest);
    const bool is_known = family == "TCP4" || family == "TCP6";
    if (!from || !to || !has_ports || !is_known) return malformed();
    header.client = from;
    return std::optional(header);
}

std::size_t number_at(std::string_view bytes, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    return static_cast<std::size_t>(byte(at)) << 8 | byte(at + 1);
}

/// What follows the addresses: a type, a length, so many bytes; again and again. False: it is cut.
bool read_more(std::string_view rest, ProxyHeader& header) {
    constexpr char tls = 0x20;
    constexpr unsigned client_speaks_it = 1;
    constexpr std::size_t head = 3;
    while (!rest.empty()) {
        if (rest.size() < head || rest.size() - head < number_at(rest, 1)) return false;
        const std::string_view value = rest.substr(head, number_at(rest, 1));
        if (rest[0] == tls && !value.empty()) {
            header.secure = (static_cast<unsigned char>(value[0]) & client_speaks_it) != 0;
        }
        rest.remove_prefix(head + value.size());
    }
    return true;
}

/// `family`: of the addresses, and how they are spoken to; ports follow the addresses.
Answer read_body(unsigned family, std::string_view body, ProxyHeader header) {
    constexpr unsigned ipv4 = 1, ipv6 = 2;
    const unsigned kind = family >> 4;
    if (kind != ipv4 && kind != ipv6) return std::optional(header);  // a local socket, or unknown
    const std::size_t bytes = kind == ipv4 ? 4 : 16;
    const std::size_t ports = 4;
    if (body.size() < 2 * bytes + ports) return malformed();
    header.client = IpAddress::from_bytes(body.substr(0, bytes));
    if (!read_more(body.substr(2 * bytes + ports), header)) return malformed();
    return std::optional(header);
}

Answer read_binary(std::string_view received) {
    constexpr unsigned version = 2, local = 0, proxy = 1;
    if (received.size() < fixed_bytes) return incomplete();
    const auto first = static_cast<unsigned char>(received[12]);
    const auto family = static_cast<unsigned char>(received[13]);
    const std::size_t length = number_at(received, 14);
    const unsigned command = first & 0x0fu;
    if (first >> 4 != version || command > proxy || length > proxy_body_bytes_max) {
        return malformed();
    }
    if (received.size() < fixed_bytes + length) return incomplete();
    const ProxyHeader header{fixed_bytes + length};
    if (command == local) return std::optional(header);
    return read_body(family, received.substr(fixed_bytes, length), header);
}

}  // namespace

Result<std::optional<ProxyHeader>, std::string_view> read_proxy_header(std::string_view received) {
    if (received.empty()) return incomplete();
    if (agree(received, signature)) {
        return received.size() < signature.size() ? incomplete() : read_binary(received);
    }
    if (agree(received, proxy_line_begin)) {
        return received.size() < proxy_line_begin.size() ? incomplete() : read_line(received);
    }
    return std::optional(ProxyHeader{});
}

}  // namespace oncewire::net
