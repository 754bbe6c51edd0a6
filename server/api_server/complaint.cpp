#include "server/api_server/complaint.hpp"

#include <algorithm>
#include <string_view>

#include "server/net/gate/address.hpp"

namespace oncewire::api {
namespace {

/// [RFC6265 4.1.1] What may stand in a cookie's name, and in the values of its attributes.
bool is_cookie_name(std::string_view name) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return is_letter || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
    });
}
bool is_cookie_value(std::string_view value) {
    return std::all_of(value.begin(), value.end(),
                       [](char c) { return c >= ' ' && c < '\x7f' && c != ';' && c != ','; });
}

}  // namespace

std::optional<std::string> complaint(const ServerOptions& options) {
    constexpr std::uint32_t message_bytes_max = 256u << 20;
    const std::uint32_t bytes = options.max_http_buffer_size;
    if (bytes < 1 || bytes > message_bytes_max) {
        return "max_http_buffer_size must be 1 to " + std::to_string(message_bytes_max);
    }
    if (options.path.size() < 2 || !options.path.starts_with('/') || !options.path.ends_with('/')) {
        return "path must begin and end with a slash";
    }
    if (options.cores < 1) return "cores must be at least 1";
    for (const auto& block : options.trusted_proxies) {
        if (!net::IpBlock::parse(block)) return "trusted_proxies: " + block + " is no address";
    }
    if (std::min({options.ping_interval, options.ping_timeout, options.connect_timeout}) <=
        Millis{0}) {
        return "ping_interval, ping_timeout and connect_timeout must be positive";
    }
    if (!options.polling && !options.websocket) return "no transport is enabled";
    if (!options.cookie) return std::nullopt;
    const Cookie& cookie = *options.cookie;
    const bool is_fine = is_cookie_name(cookie.name) && is_cookie_value(cookie.path) &&
                         is_cookie_value(cookie.domain) && is_cookie_value(cookie.same_site);
    return is_fine ? std::nullopt : std::optional<std::string>("cookie has characters it may not");
}

}  // namespace oncewire::api
