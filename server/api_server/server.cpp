// The public Server: everything its header keeps away from applications.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "server/api/server.hpp"
#include "server/core/environment.hpp"
#include "server/core/server.hpp"
#include "server/net/gate/static_files.hpp"
#include "server/operator/commands.hpp"
#include "server/store/sqlite/engine.hpp"
#include "shared/base/limits.hpp"

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

core::Server::Options core_options(const ServerOptions& options, net::FolderFiles files) {
    core::Server::Options wanted;
    wanted.server = options;
    wanted.files = std::move(files);
    wanted.http.serves_page = false;
    // These may be replaced while a server runs, so they have values of their own kind.
    std::vector<net::IpBlock> proxies;
    for (const auto& block : options.trusted_proxies)
        proxies.push_back(*net::IpBlock::parse(block));
    wanted.http.trusted_proxies = std::move(proxies);
    if (!options.names.empty()) wanted.http.engine.names = options.names;
    wanted.http.engine.origins = options.origins;
    return wanted;
}

/// What a program on the public API keeps its database in.
const store::SqliteEngine engine{};

ops::Database database_of(const std::string& path) { return {engine, path, core::new_epoch()}; }

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

/// How the program was called, without its folder.
std::string name_of(const char* path) {
    const std::string_view text = path;
    return std::string(text.substr(text.find_last_of('/') + 1));
}

/// What is left of the command line, in its order. `left` is part of it.
void keep(const std::vector<std::string>& left, int& argc, char** argv) {
    int kept = 1;
    for (int i = 1; i < argc && static_cast<std::size_t>(kept) <= left.size(); ++i) {
        if (left[static_cast<std::size_t>(kept) - 1] == argv[i]) argv[kept++] = argv[i];
    }
    argc = kept;
    argv[argc] = nullptr;
}

}  // namespace

void write_to_standard_error(const std::string& line) {
    std::fputs((line + '\n').c_str(),
               stderr);  // one call, so that lines of several threads stay whole
}

class Server::Running {
  public:
    Running(const Options& options, net::FolderFiles files,
            std::unique_ptr<store::OperatedStore> store, const Install& install)
        : store_(*store),
          server_(core_options(options, std::move(files)), std::move(store),
                  [&install](Application& application) {
                      application.set_wall_clock(core::wall_clock_now);
                      install(application);
                  }) {}
    Result<std::uint16_t, std::string> start(const Options& options) {
        auto port = server_.start();
        const ops::Database database = database_of(options.database);
        if (port) control_ = ops::open_control(database, server_, store_, options.log);
        return port;
    }

  private:
    store::OperatedStore& store_;  // the server's own
    core::Server server_;          // stops when it goes
    std::unique_ptr<ops::Control> control_;
};

Server::Server(Options options, AsInstall, Install install)
    : options_(std::move(options)), install_(std::move(install)) {}

Server::~Server() { stop(); }

Result<std::uint16_t, std::string> Server::listen() {
    if (!options_.log) options_.log = write_to_standard_error;
    if (auto sentence = complaint(options_)) return Err{std::move(*sentence)};
    std::vector<net::FolderFiles::Folder> folders;
    for (const auto& [url, directory] : options_.folders) folders.push_back({url, directory});
    auto files = net::FolderFiles::load(folders);
    if (!files) return Err{files.error()};
    store::Engine::Options store_options;
    store_options.restored = restored_;
    auto store = engine.open(options_.database, core::new_epoch(), store_options);
    if (!store) {
        const bool is_damaged = store.error().error == store::StoreError::corrupt;
        status_if_refused_ = is_damaged ? ops::damaged_exit_status : 1;
        return Err{store.error().sentence};
    }
    if (options_.serve_client && net::static_files().empty()) {
        options_.log("this build has no browser client to serve (ONCEWIRE_BUILD_SERVER was OFF)");
    }
    // A peer that is gone is told by the write's error.
    std::signal(SIGPIPE, SIG_IGN);
    const SignalsBlocked blocked;
    running_ = std::make_unique<Running>(options_, std::move(*files), std::move(*store), install_);
    auto port = running_->start(options_);
    if (!port) running_.reset();
    return port;
}

void Server::stop() { running_.reset(); }

void Server::declare(CLI::App& app, const Flag& flag) {
    const std::string name = flag.flag.substr(0, flag.flag.find(' '));
    const auto refuse = [name] { throw CLI::ValidationError(name, "this cannot be used"); };
    if (!flag.has_value) {
        const auto each = [take = flag.take, refuse] {
            if (!take("")) refuse();
        };
        app.add_flag_callback(name, each, flag.help);
        return;
    }
    const auto each = [take = flag.take](const CLI::results_t& values) {
        return std::all_of(values.begin(), values.end(), take);
    };
    const bool is_named = name.size() < flag.flag.size();
    app.add_option(name, each, flag.help)
        ->type_name(is_named ? flag.flag.substr(name.size() + 1) : "VALUE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::optional<int> Server::take_flags(int& argc, char** argv) {
    program_ = name_of(argv[0]);
    CLI::App app("A server on Oncewire", program_);
    app.allow_extras();
    // Of a flag that is said twice the last one holds, as scripts that add one expect.
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.add_option("--host", options_.host, "Address or name to listen on")->capture_default_str();
    app.add_option("--port", options_.port, "Port to listen on; 0: any free one")
        ->capture_default_str();
    app.add_option("--db", options_.database,
                   "Database file, made if missing; :memory: keeps nothing")
        ->capture_default_str();
    app.add_option("--cores", options_.cores, "Threads that serve connections")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    std::vector<std::string> origins;
    // One value each time: what follows may be the application's.
    const auto add_origins = [&origins](const CLI::results_t& values) {
        origins = values;
        return true;
    };
    app.add_option("--origin", add_origins, "Also let pages of this origin connect; repeatable")
        ->type_name("TEXT")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    ops::Command command;
    ops::declare(app, command);
    for (const Flag& flag : flags_) declare(app, flag);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {
        return app.exit(wanted);  // --help
    } catch (const CLI::ParseError& error) {
        return ops::fail(program_, std::string(error.what()) + " (--help lists the flags)");
    }
    options_.origins.insert(options_.origins.end(), origins.begin(), origins.end());
    restored_ = command.restored;
    keep(app.remaining(), argc, argv);
    return ops::perform(command, program_, database_of(options_.database));
}

int Server::run(int argc, char** argv) {
    if (const auto status = take_flags(argc, argv)) return *status;
    if (argc == 1) return run();
    return ops::fail(program_, std::string("cannot use ") + argv[1] + " (--help lists the flags)");
}

int Server::run() {
    const SignalsBlocked blocked;
    const auto port = listen();
    if (!port) return ops::fail(program_, port.error(), status_if_refused_);
    std::cout << "listening on http://" << options_.host << ':' << *port << std::endl;
    const sigset_t signals = stop_signals();
    int signal = 0;
    sigwait(&signals, &signal);
    stop();
    return 0;
}

}  // namespace oncewire::api
