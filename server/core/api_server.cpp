// The public Server: everything its header keeps away from applications.
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string_view>
#include <utility>

#include "server/api/server.hpp"
#include "server/core/environment.hpp"
#include "server/core/server.hpp"
#include "server/store/sqlite_store.hpp"
#include "shared/base/base64.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::api {
namespace {

constexpr std::size_t epoch_bytes = 12;

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

/// What makes no sense in `options`, as a sentence.
std::optional<std::string> complaint(const Server::Options& options) {
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

std::string attributes_of(const Cookie& cookie) {
    std::string text;
    if (!cookie.path.empty()) text += "; Path=" + cookie.path;
    if (!cookie.domain.empty()) text += "; Domain=" + cookie.domain;
    if (cookie.max_age) text += "; Max-Age=" + std::to_string(*cookie.max_age);
    if (cookie.http_only) text += "; HttpOnly";
    if (cookie.secure) text += "; Secure";
    if (!cookie.same_site.empty()) text += "; SameSite=" + cookie.same_site;
    return text;
}

core::Server::Options core_options(const Server::Options& options, net::FolderFiles files) {
    core::Server::Options wanted;
    wanted.files = std::move(files);
    wanted.message_bytes_max = options.max_http_buffer_size;
    wanted.http.engine.polling = options.polling;
    wanted.http.engine.websocket = options.websocket;
    wanted.http.engine.upgrades = options.allow_upgrades;
    wanted.http.compress_from = options.http_compression;
    wanted.http.deflate = options.per_message_deflate.has_value();
    wanted.web_sockets.deflate_from = options.per_message_deflate.value_or(0);
    wanted.http.serves_client = options.serve_client;
    wanted.http.serves_page = false;
    wanted.http.head_timeout = options.header_timeout;
    wanted.http.body_timeout = options.body_timeout;
    wanted.http.admission_timeout = options.admission_timeout;
    wanted.limits = {options.max_connections, options.max_connections_per_address};
    if (options.cookie) {
        wanted.polling.cookie_name = options.cookie->name;
        wanted.polling.cookie_attributes = attributes_of(*options.cookie);
    }
    for (const auto& block : options.trusted_proxies) {
        wanted.http.trusted_proxies.push_back(*net::IpBlock::parse(block));
    }
    if (!options.names.empty()) wanted.http.engine.names = options.names;
    wanted.address = {options.host, options.port};
    wanted.cores = options.cores;
    wanted.http.engine.path = options.path;
    wanted.http.engine.origins = options.origins;
    wanted.timings = {options.ping_interval, options.ping_timeout};
    wanted.connect_timeout = options.connect_timeout;
    wanted.retention.rules = options.keep;
    wanted.lease = options.lease;
    wanted.log = options.log;
    if (const auto& recovery = options.connection_state_recovery) {
        wanted.recovery = {
            recovery->max_disconnection_duration,
            options.ping_interval + options.ping_timeout + limits::slow_reader_timeout,
            recovery->entries_max, recovery->bytes_max};
    }
    return wanted;
}

sigset_t stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/// While it lives, threads that start do not take the signals that stop the program.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        const sigset_t signals = stop_signals();
        pthread_sigmask(SIG_BLOCK, &signals, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_;
};

std::optional<std::uint16_t> number(std::string_view text) {
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole ? std::optional(value) : std::nullopt;
}

/// False: no such flag, or no such value.
bool take_flag(std::string_view flag, const std::string& value, Server::Options& options) {
    if (flag == "--host") {
        options.host = value;
    } else if (flag == "--db") {
        options.database = value;
    } else if (flag == "--origin") {
        options.origins.push_back(value);
    } else if (const auto count = number(value); count && flag == "--port") {
        options.port = *count;
    } else if (count && *count > 0 && flag == "--cores") {
        options.cores = *count;
    } else {
        return false;
    }
    return true;
}

int fail(const std::string& sentence) {
    std::cerr << sentence << std::endl;
    return 1;
}

}  // namespace

void write_to_standard_error(const std::string& line) {
    std::fputs((line + '\n').c_str(),
               stderr);  // one call, so that lines of several threads stay whole
}

class Server::Running {
  public:
    Running(const Options& options, net::FolderFiles files, std::unique_ptr<store::Store> store,
            const Install& install)
        : server_(core_options(options, std::move(files)), std::move(store),
                  [&install](Application& application) {
                      application.set_wall_clock(core::wall_clock_now);
                      install(application);
                  }) {}
    Result<std::uint16_t, std::string> start() { return server_.start(); }

  private:
    core::Server server_;  // stops when it goes
};

Server::Server(Options options, AsInstall, Install install)
    : options_(std::move(options)), install_(std::move(install)) {}

Server::~Server() { stop(); }

Result<std::uint16_t, std::string> Server::listen() {
    if (auto sentence = complaint(options_)) return Err{std::move(*sentence)};
    std::vector<net::FolderFiles::Folder> folders;
    for (const auto& [url, directory] : options_.folders) folders.push_back({url, directory});
    auto files = net::FolderFiles::load(folders);
    if (!files) return Err{files.error()};
    const delivery::Epoch epoch{base64::encode_url(core::random_bytes(epoch_bytes))};
    auto store = store::SqliteStore::open(options_.database, epoch);
    if (!store) return Err{store.error().sentence};
    // A peer that is gone is told by the write's error.
    std::signal(SIGPIPE, SIG_IGN);
    const SignalsBlocked blocked;
    running_ = std::make_unique<Running>(options_, std::move(*files), std::move(*store), install_);
    auto port = running_->start();
    if (!port) running_.reset();
    return port;
}

void Server::stop() { running_.reset(); }

int Server::run(int argc, char** argv) {
    for (int i = 1; i < argc; i += 2) {
        const bool has_value = i + 1 < argc;
        if (has_value && take_flag(argv[i], argv[i + 1], options_)) continue;
        return fail(std::string(argv[0]) + ": cannot use " + argv[i] +
                    " (flags: --host, --port, --db, --cores, --origin, each with a value)");
    }
    const SignalsBlocked blocked;
    const auto port = listen();
    if (!port) return fail(std::string(argv[0]) + ": " + port.error());
    std::cout << "listening on http://" << options_.host << ':' << *port << std::endl;
    const sigset_t signals = stop_signals();
    int signal = 0;
    sigwait(&signals, &signal);
    stop();
    return 0;
}

}  // namespace oncewire::api
