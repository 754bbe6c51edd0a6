#include "server/product/config.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include <toml.hpp>

#include "server/net/gate/client.hpp"

namespace oncewire::product {
namespace {

using Value = toml::value;

/// What stops reading: a sentence, and where.
struct Mistake {
    std::string sentence;
    std::uint32_t line;
};

[[noreturn]] void fail(const Value& at, const std::string& sentence) {
    throw Mistake{sentence, static_cast<std::uint32_t>(at.location().line())};
}

std::string text(const Value& value) {
    if (!value.is_string()) fail(value, "must be a string");
    return value.as_string().str;
}

std::string text_of(const Value& value, const std::vector<std::string>& allowed) {
    auto found = text(value);
    if (std::find(allowed.begin(), allowed.end(), found) != allowed.end()) return found;
    std::string list;
    for (const auto& each : allowed) list += (list.empty() ? "" : ", ") + each;
    fail(value, "must be one of " + list);
}

template <class T>
T number(const Value& value, std::int64_t least, std::int64_t most) {
    if (!value.is_integer() || value.as_integer() < least || value.as_integer() > most) {
        fail(value,
             "must be a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<T>(value.as_integer());
}

bool yes_or_no(const Value& value) {
    if (!value.is_boolean()) fail(value, "must be true or false");
    return value.as_boolean();
}

using Readers = std::map<std::string, std::function<void(const Value&)>>;

/// Every key must be known: a misspelled one would be a setting that silently does nothing.
void read_table(const Value& table, const std::string& name, const Readers& readers) {
    if (!table.is_table()) fail(table, name + " must be a table");
    for (const auto& [key, value] : table.as_table()) {
        const std::string full = name.empty() ? key : name + "." + key;
        const auto reader = readers.find(key);
        if (reader == readers.end()) fail(value, "unknown setting " + full);
        try {
            reader->second(value);
        } catch (Mistake& mistake) {
            if (mistake.sentence.starts_with("must"))
                mistake.sentence = full + " " + mistake.sentence;
            throw;
        }
    }
}

std::string contents(const Value& at, const std::string& path) {
    std::ifstream file(path);
    std::ostringstream all;
    if (!file || !(all << file.rdbuf())) fail(at, "cannot read " + path);
    return all.str();
}

TokenKey read_key(const Value& table) {
    TokenKey key;
    read_table(table, "identity.keys",
               {{"id", [&](const Value& v) { key.id = text(v); }},
                {"algorithm",
                 [&](const Value& v) {
                     key.algorithm = text(v);
                     if (!is_token_algorithm(key.algorithm)) {
                         fail(v, "must be HS256, RS256, ES256, or one of their 384 and 512");
                     }
                 }},
                {"key", [&](const Value& v) { key.key = text(v); }},
                {"key_file", [&](const Value& v) { key.key = contents(v, text(v)); }},
                {"issuer", [&](const Value& v) { key.issuer = text(v); }},
                {"audience", [&](const Value& v) { key.audience = text(v); }}});
    constexpr std::size_t shortest_secret = 32;
    if (key.algorithm.empty()) fail(table, "identity.keys needs an algorithm");
    if (key.audience.empty()) fail(table, "identity.keys needs an audience");
    if (key.key.empty()) fail(table, "identity.keys needs a key or a key_file");
    if (key.algorithm.starts_with("HS") && key.key.size() < shortest_secret) {
        fail(table, "identity.keys: a secret of less than 32 bytes can be guessed");
    }
    return key;
}

/// Every element must be `is_right`, which `shape` shows.
std::vector<std::string> list_of(const Value& value, bool (*is_right)(const std::string&),
                                 const std::string& shape) {
    if (!value.is_array()) fail(value, "must be a list of strings " + shape);
    std::vector<std::string> list;
    for (const auto& each : value.as_array()) {
        list.push_back(text(each));
        if (!is_right(list.back())) fail(each, "must be " + shape);
    }
    return list;
}

Readers server_readers(Config& config) {
    const std::vector<std::string> durabilities = {"disk", "process"};
    constexpr std::int64_t ports = 65'535, cores = 256, many = 10'000'000, days = 36'500,
                           day = 86'400, messages = 4'000'000'000;
    return {
        {"host", [&](const Value& v) { config.host = text(v); }},
        {"port",
         [=, &config](const Value& v) { config.port = number<std::uint16_t>(v, 0, ports); }},
        {"database", [&](const Value& v) { config.database = text(v); }},
        {"cores",
         [=, &config](const Value& v) { config.cores = number<std::uint16_t>(v, 1, cores); }},
        {"connections",
         [=, &config](const Value& v) { config.connections = number<std::uint32_t>(v, 1, many); }},
        {"connections_per_address",
         [=, &config](const Value& v) {
             config.connections_per_address = number<std::uint32_t>(v, 1, many);
         }},
        {"durability",
         [=, &config](const Value& v) { config.durability = text_of(v, durabilities); }},
        {"keep_days",
         [=, &config](const Value& v) { config.keep_days = number<std::uint32_t>(v, 0, days); }},
        {"keep_messages",
         [=, &config](const Value& v) {
             config.keep_messages = number<std::uint32_t>(v, 0, messages);
         }},
        {"lease_days",
         [=, &config](const Value& v) { config.lease_days = number<std::uint32_t>(v, 0, days); }},
        {"recovery_seconds",
         [=, &config](const Value& v) {
             config.recovery_seconds = number<std::uint32_t>(v, 0, day);
         }},
        {"origins",
         [&](const Value& v) {
             config.origins = list_of(v, is_origin, "like https://example.org, without a path");
         }},
        {"trusted_proxies",
         [&](const Value& v) {
             config.trusted_proxies = list_of(v, is_block, "like 192.0.2.1 or 10.0.0.0/8");
         }},
        {"names",
         [&](const Value& v) {
             config.names =
                 list_of(v, is_host_name, "like chat.example.org, in lower case, without a scheme");
         }},
        {"prefix",
         [&](const Value& v) {
             config.prefix = text(v);
             if (!is_path_prefix(config.prefix)) fail(v, "must be like /chat/");
         }},
        {"limits", [&](const Value& v) {
             config.limits = text_of(v, {"on", "off"}) == "on";
         }}};
}

Readers chat_readers(Config& config) {
    constexpr std::int64_t many = 1'000'000, day = 86'400;
    const auto upto = [](std::int64_t least, std::int64_t most, std::uint32_t& setting) {
        return [=, &setting](const Value& v) { setting = number<std::uint32_t>(v, least, most); };
    };
    return {{"burst", upto(0, many, config.burst)},
            {"per_second", upto(1, many, config.per_second)},
            {"address_burst", upto(0, many, config.address_burst)},
            {"address_per_second", upto(1, many, config.address_per_second)},
            {"megabytes_each_day", upto(0, many, config.megabytes_each_day)},
            {"rooms_at_once", upto(0, many, config.rooms_at_once)},
            {"search_burst", upto(0, many, config.search_burst)},
            {"search_per_second", upto(1, many, config.search_per_second)},
            {"signal_burst", upto(0, many, config.signal_burst)},
            {"signal_per_second", upto(1, many, config.signal_per_second)},
            {"pictures_megabytes", upto(0, many, config.pictures_megabytes)},
            {"pictures_megabytes_each_day", upto(0, many, config.pictures_megabytes_each_day)},
            {"grace_seconds", upto(0, day, config.grace_seconds)}};
}

Readers identity_readers(IdentityOptions& identity) {
    constexpr std::int64_t hour = 3600;
    return {{"anonymous", [&](const Value& v) { identity.anonymous = yes_or_no(v); }},
            {"clock_skew_seconds",
             [=, &identity](const Value& v) {
                 identity.clock_skew = Millis{1000 * number<std::int64_t>(v, 0, hour)};
             }},
            {"keys", [&](const Value& v) {
                 if (!v.is_array()) fail(v, "must be tables [[identity.keys]]");
                 identity.keys.clear();
                 for (const auto& each : v.as_array()) identity.keys.push_back(read_key(each));
             }}};
}

void read_all(const Value& root, Config& config) {
    const std::vector<std::string> levels = {"debug", "info", "warn", "error", "off"};
    read_table(
        root, "",
        {{"server", [&](const Value& v) { read_table(v, "server", server_readers(config)); }},
         {"chat", [&](const Value& v) { read_table(v, "chat", chat_readers(config)); }},
         {"identity",
          [&](const Value& v) { read_table(v, "identity", identity_readers(config.identity)); }},
         {"log", [&](const Value& v) {
              read_table(v, "log",
                         {{"level", [&](const Value& w) { config.log_level = text_of(w, levels); }},
                          {"format", [&](const Value& w) {
                               config.log_format = text_of(w, {"text", "json"});
                           }}});
          }}});
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// A basic string of TOML.
std::string quoted(const std::string& text) {
    std::ostringstream out;
    out << Value(text);
    return out.str();
}

std::string quoted_list(const std::vector<std::string>& texts) {
    std::string list;
    for (const auto& each : texts) list += (list.empty() ? "" : ", ") + quoted(each);
    return '[' + list + ']';
}

/// "server.port" and what it is, as print_config() says.
std::vector<std::pair<std::string, std::string>> settings_of(const Config& config) {
    std::vector<std::pair<std::string, std::string>> settings;
    std::istringstream text(print_config(config));
    std::string section;
    for (std::string line; std::getline(text, line) && line != "[identity]";) {
        const std::size_t equals = line.find(" = ");
        if (line.starts_with('[')) section = line.substr(1, line.size() - 2) + '.';
        if (equals == line.npos) continue;
        settings.emplace_back(section + line.substr(0, equals), line.substr(equals));
    }
    return settings;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

bool is_origin(const std::string& text) {
    if (text == "*") return true;
    const std::size_t scheme = text.find("://");
    if (scheme == text.npos ||
        (text.substr(0, scheme) != "https" && text.substr(0, scheme) != "http")) {
        return false;
    }
    const std::string host = text.substr(scheme + 3);
    return !host.empty() && host.find_first_of("/?#@ ;,*'\"") == host.npos &&
           std::none_of(host.begin(), host.end(), is_upper);
}

bool is_host_name(const std::string& text) {
    return text == "*" || (!text.empty() && text.find_first_of("/?#@ ;,*'\"") == text.npos &&
                           std::none_of(text.begin(), text.end(), is_upper));
}

bool is_block(const std::string& text) { return net::IpBlock::parse(text).has_value(); }

bool is_path_prefix(const std::string& text) {
    if (text.empty() || text == "/") return true;
    return net::is_prefix(text.ends_with('/') ? text.substr(0, text.size() - 1) : text);
}

Result<void, std::string> read_config(const std::string& path, Config& config) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Err{"cannot read the configuration " + path};
    try {
        read_all(toml::parse(file, path), config);
    } catch (const Mistake& mistake) {
        return Err{path + ":" + std::to_string(mistake.line) + ": " + mistake.sentence};
    } catch (const toml::exception& error) {
        return Err{path + ":" + std::to_string(error.location().line()) + ": " +
                   first_line(error.what())};
    }
    return {};
}

std::string print_config(const Config& config) {
    std::ostringstream out;
    const auto flag = [](bool on) { return on ? "true" : "false"; };
    out << "[server]\nhost = " << quoted(config.host) << "\nport = " << config.port
        << "\ndatabase = " << quoted(config.database) << "\ncores = " << config.cores
        << "\nconnections = " << config.connections
        << "\nconnections_per_address = " << config.connections_per_address
        << "\ndurability = " << quoted(config.durability) << "\nkeep_days = " << config.keep_days
        << "\nkeep_messages = " << config.keep_messages << "\nlease_days = " << config.lease_days
        << "\nrecovery_seconds = " << config.recovery_seconds
        << "\norigins = " << quoted_list(config.origins)
        << "\ntrusted_proxies = " << quoted_list(config.trusted_proxies)
        << "\nnames = " << quoted_list(config.names) << "\nprefix = " << quoted(config.prefix)
        << "\nlimits = " << quoted(config.limits ? "on" : "off")
        << "\n\n[log]\nlevel = " << quoted(config.log_level)
        << "\nformat = " << quoted(config.log_format) << "\n\n[chat]\nburst = " << config.burst
        << "\nper_second = " << config.per_second << "\naddress_burst = " << config.address_burst
        << "\naddress_per_second = " << config.address_per_second
        << "\nmegabytes_each_day = " << config.megabytes_each_day
        << "\nrooms_at_once = " << config.rooms_at_once
        << "\nsearch_burst = " << config.search_burst
        << "\nsearch_per_second = " << config.search_per_second
        << "\nsignal_burst = " << config.signal_burst
        << "\nsignal_per_second = " << config.signal_per_second
        << "\npictures_megabytes = " << config.pictures_megabytes
        << "\npictures_megabytes_each_day = " << config.pictures_megabytes_each_day
        << "\ngrace_seconds = " << config.grace_seconds
        << "\n\n[identity]\nanonymous = " << flag(config.identity.anonymous)
        << "\nclock_skew_seconds = " << config.identity.clock_skew.count() / 1000 << "\n";
    for (const auto& key : config.identity.keys) {
        out << "\n[[identity.keys]]\nid = " << quoted(key.id)
            << "\nalgorithm = " << quoted(key.algorithm) << "\nissuer = " << quoted(key.issuer)
            << "\naudience = " << quoted(key.audience) << "\n# key: not shown\n";
    }
    return out.str();
}

std::vector<std::string> changed_keys(const Config& before, const Config& after) {
    std::vector<std::string> keys;
    const auto settings = settings_of(before);
    for (const auto& [key, value] : settings_of(after)) {
        const bool is_same =
            std::find(settings.begin(), settings.end(), std::pair(key, value)) != settings.end();
        if (!is_same) keys.push_back(key);
    }
    return keys;
}

}  // namespace oncewire::product
