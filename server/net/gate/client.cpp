#include "server/net/gate/client.hpp"

#include <algorithm>

#include "server/net/gate/http_message.hpp"

namespace oncewire::net {
namespace {

/// What one proxy says of the one before it; empty: nothing.
struct Hop {
    std::string node;
    std::string proto;
    std::string host;
};

/// "192.0.2.1", "192.0.2.1:4711", "[2001:db8::1]:4711", and "2001:db8::1", though RFC 7239 wants brackets.
std::optional<IpAddress> parse_node(std::string_view node) {
    if (node.starts_with('[')) {
        const std::size_t end = node.find(']');
        return end == node.npos ? std::nullopt : IpAddress::parse(node.substr(1, end - 1));
    }
    const bool has_port = std::count(node.begin(), node.end(), ':') == 1;
    return IpAddress::parse(has_port ? node.substr(0, node.find(':')) : node);
}

/// The values of all headers of this name, as if they were one list. [RFC9110 5.3]
std::string joined(const HeaderList& headers, std::string_view name) {
    std::string all;
    for (const auto& [key, value] : headers) {
        if (equal_ignoring_case(key, name)) all += (all.empty() ? "" : ",") + value;
    }
    return all;
}

std::string_view last_of(std::string_view list) {
    const std::size_t comma = list.rfind(',');
    return trim_blanks(comma == list.npos ? list : list.substr(comma + 1));
}

std::vector<Hop> x_forwarded_for(std::string_view list) {
    std::vector<Hop> hops;
    while (!list.empty()) hops.push_back({std::string(take_element(list, ',')), "", ""});
    return hops;
}

/// Takes a value off `rest`, up to `;` or `,`; what stands in quotes without them. False: a quote is not
/// closed.
bool take_value(std::string_view& rest, std::string& value) {
    if (!rest.starts_with('"')) {
        const std::string_view token = rest.substr(0, rest.find_first_of(";,"));
        value = trim_blanks(token);
        rest.remove_prefix(token.size());
        return true;
    }
    rest.remove_prefix(1);
    for (; !rest.empty() && rest[0] != '"'; rest.remove_prefix(1)) {
        if (rest[0] == '\\') rest.remove_prefix(1);
        if (rest.empty()) return false;
        value += rest[0];
    }
    if (rest.empty()) return false;
    rest.remove_prefix(1);
    return true;
}

/// [RFC7239 4] Nothing at all of a header that is malformed: where it went wrong nobody knows.
std::vector<Hop> forwarded(std::string_view rest) {
    std::vector<Hop> hops(rest.empty() ? 0 : 1);
    while (!rest.empty()) {
        const std::size_t end = rest.find_first_of("=;,");
        const std::string_view name = trim_blanks(rest.substr(0, end));
        rest.remove_prefix(std::min(end, rest.size()));
        std::string value;
        if (rest.starts_with('=')) {
            rest.remove_prefix(1);
            if (!take_value(rest, value)) return {};
        } else if (!name.empty()) {
            return {};
        }
        if (equal_ignoring_case(name, "for")) hops.back().node = value;
        if (equal_ignoring_case(name, "proto")) hops.back().proto = value;
        if (equal_ignoring_case(name, "host")) hops.back().host = value;
        const std::size_t mark = rest.find_first_not_of(" \t");
        rest.remove_prefix(std::min(mark, rest.size()));
        if (rest.empty()) break;
        if (rest[0] != ',' && rest[0] != ';') return {};
        if (rest[0] == ',') hops.emplace_back();
        rest.remove_prefix(1);
    }
    return hops;
}

/// What was said of the client; none: its proxy says nothing of it.
struct Found {
    IpAddress address;
    const Hop* hop = nullptr;
};

Found walk_back(IpAddress peer, const std::vector<Hop>& hops, const std::vector<IpBlock>& trusted) {
    Found found{peer, nullptr};
    for (auto hop = hops.rbegin(); hop != hops.rend() && is_in(trusted, found.address); ++hop) {
        const auto before = parse_node(hop->node);
        if (!before) break;
        found = {*before, &*hop};
    }
    return found;
}

std::optional<bool> is_secure(std::string_view scheme) {
    if (equal_ignoring_case(scheme, "https") || equal_ignoring_case(scheme, "wss")) return true;
    if (equal_ignoring_case(scheme, "http") || equal_ignoring_case(scheme, "ws")) return false;
    return std::nullopt;
}

std::optional<std::string> unless_empty(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

/// "/chat/" and "/chat" are the same.
std::string prefix_of(std::string_view path) {
    if (path.ends_with('/')) path.remove_suffix(1);
    return is_prefix(path) ? std::string(path) : "";
}

}  // namespace

Client client_of(std::string_view peer, const HeaderList& headers,
                 const std::vector<IpBlock>& trusted) {
    Client client;
    const auto address = IpAddress::parse(peer);
    client.address = address ? address->text() : std::string(peer);
    if (!address || !is_in(trusted, *address)) return client;
    client.by_proxy = true;
    const std::string list = joined(headers, "X-Forwarded-For");
    const auto hops =
        list.empty() ? forwarded(joined(headers, "Forwarded")) : x_forwarded_for(list);
    const Found found = walk_back(*address, hops, trusted);
    client.address = found.address.text();
    const std::string proto = joined(headers, "X-Forwarded-Proto");
    const std::string host = joined(headers, "X-Forwarded-Host");
    const std::string prefix = joined(headers, "X-Forwarded-Prefix");
    const Hop nobody;
    const Hop& said = found.hop ? *found.hop : nobody;
    client.secure = is_secure(proto.empty() ? std::string_view(said.proto) : last_of(proto));
    client.host = unless_empty(host.empty() ? std::string_view(said.host) : last_of(host));
    client.prefix = prefix_of(last_of(prefix));
    return client;
}

bool is_prefix(std::string_view path) {
    constexpr std::string_view marks = "/-._~";
    const auto is_plain = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               marks.find(c) != marks.npos;
    };
    return path.size() > 1 && path[0] == '/' && !path.ends_with('/') &&
           path.find("//") == path.npos && path.find("/.") == path.npos &&
           std::all_of(path.begin(), path.end(), is_plain);
}

std::string_view without_prefix(std::string_view target, std::string_view prefix) {
    const bool is_below = !prefix.empty() && target.starts_with(prefix) &&
                          target.substr(prefix.size()).starts_with('/');
    return is_below ? target.substr(prefix.size()) : target;
}

}  // namespace oncewire::net
