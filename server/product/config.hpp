#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/product/identity.hpp"
#include "shared/base/result.hpp"

namespace oncewire::product {

/// Everything an operator can say. Names and defaults are those of the file; README has the list.
struct Config {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3000;
    std::string database = "oncewire.db";
    std::uint16_t cores = 1;
    std::uint32_t connections = 100'000;            ///< and polling sessions, in all
    std::uint32_t connections_per_address = 1'024;  ///< and four times as many of an IPv6 /48
    std::string durability = "disk";                ///< or "process": no fsync
    std::uint32_t keep_days = 0;                    ///< of each room's history; 0: for ever
    std::uint32_t keep_messages = 0;                ///< the newest of each room; 0: all
    /// How long it is known what senders who are away were told; 0: for ever.
    std::uint32_t lease_days = 90;
    /// For how long unmodified clients that lost their link may come back as who they were; 0: off.
    std::uint32_t recovery_seconds = 120;
    /// Pages that may connect and embed the chat, besides the server's own.
    std::vector<std::string> origins;
    /// Addresses and blocks of proxies whose word on their clients counts: X-Forwarded-…, Forwarded, PROXY.
    std::vector<std::string> trusted_proxies;
    /// What the server is called by, besides addresses and names without a dot; "*": any name.
    std::vector<std::string> names;
    std::string prefix;  ///< "/chat/": everything is served below it, too
    /// Whether there are allowances for each person and address. Off is for load tests.
    bool limits = true;
    std::string log_level = "info";
    std::string log_format = "text";  ///< or "json"

    std::uint32_t burst = 2000;            ///< messages a person may send at once
    std::uint32_t per_second = 50;         ///< and in the long run
    std::uint32_t address_burst = 10'000;  ///< the same for everybody in one network
    std::uint32_t address_per_second = 500;
    std::uint32_t megabytes_each_day =
        100;                           ///< that a person may store; ten times that of a network
    std::uint32_t rooms_at_once = 20;  ///< that a person may open, and one a minute; ten times that
    /// Searches of a person at once, each 256 KiB looked at; ten times that of a network.
    std::uint32_t search_burst = 40;
    std::uint32_t search_per_second = 4;
    std::uint32_t signal_burst = 30;  ///< the same for hints of typing, names, rooms entered
    std::uint32_t signal_per_second = 3;
    std::uint32_t pictures_megabytes = 1'000;        ///< in all, then some go; 0: no pictures
    std::uint32_t pictures_megabytes_each_day = 50;  ///< of a person; ten times that of a network
    std::uint32_t grace_seconds = 15;                ///< somebody who is back within has not left

    IdentityOptions identity;
};

/// Reads a TOML file over `config`; a sentence with file and line if it cannot be used.
Result<void, std::string> read_config(const std::string& path, Config& config);
/// The same as a file. Secrets are left out, with a comment in their place.
std::string print_config(const Config& config);
/// What differs, by the names of the file, like "server.port"; [identity] aside.
std::vector<std::string> changed_keys(const Config& before, const Config& after);

/// "scheme://host" or "scheme://host:port", or "*"; what is something else is a typing error.
bool is_origin(const std::string& text);
/// "chat.example.org", "chat.example.org:8443", "[2001:db8::1]", or "*".
bool is_host_name(const std::string& text);
/// "192.0.2.1", "10.0.0.0/8", "2001:db8::/32".
bool is_block(const std::string& text);
/// "/chat/" or "/chat"; empty or "/" for none.
bool is_path_prefix(const std::string& text);

}  // namespace oncewire::product
