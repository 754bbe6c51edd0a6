// The chat server as a program: flags, log, signals.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "server/chat/chat.hpp"
#include "server/core/environment.hpp"
#include "server/core/server.hpp"
#include "server/operator/commands.hpp"
#include "server/product/config.hpp"
#include "server/product/identity.hpp"
#include "server/store/sqlite/engine.hpp"
#include "shared/base/json.hpp"

namespace {

using namespace oncewire;

constexpr const char* version = ONCEWIRE_VERSION;

struct CommandLine {
    product::Config config;
    std::string config_path;
    bool only_print = false;
    ops::Command command;
};

void declare(CLI::App& app, CommandLine& line) {
    auto& config = line.config;
    app.add_option("--config", line.config_path, "A TOML file; flags and environment win over it")
        ->envname("ONCEWIRE_CONFIG");
    app.add_flag("--print-config", line.only_print, "Print what would be used, as such a file");
    app.add_option("--host", config.host, "Address or name to listen on")
        ->envname("ONCEWIRE_HOST")
        ->capture_default_str();
    app.add_option("--port", config.port, "Port to listen on; 0: any free one")
        ->envname("ONCEWIRE_PORT")
        ->capture_default_str();
    app.add_option("--db", config.database,
                   "Database file, made if missing; :memory: keeps nothing")
        ->envname("ONCEWIRE_DB")
        ->capture_default_str();
    app.add_option("--cores", config.cores, "Threads that serve connections")
        ->check(CLI::Range(1, 256))
        ->envname("ONCEWIRE_CORES")
        ->capture_default_str();
    app.add_option("--origin", config.origins,
                   "Also let pages of this origin connect and embed the chat, like"
                   " https://example.org; repeatable");
    app.add_option("--trusted-proxy", config.trusted_proxies,
                   "A proxy, or a block like 10.0.0.0/8 of them, whose word on its clients counts;"
                   " repeatable");
    app.add_option("--name", config.names,
                   "What the server is called by, like chat.example.org, besides addresses and"
                   " names without a dot; repeatable");
    app.add_option("--prefix", config.prefix, "Also serve everything below this path, like /chat/");
    app.add_option_function<std::string>(
           "--limits", [&config](const std::string& said) { config.limits = said == "on"; },
           "Allowances for each person and address; off is for load tests")
        ->check(CLI::IsMember({"on", "off"}));
    app.add_option("--log-level", config.log_level, "What goes to standard error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
        ->envname("ONCEWIRE_LOG_LEVEL");
    app.add_option("--log-format", config.log_format, "Lines for people, or JSON")
        ->check(CLI::IsMember({"text", "json"}))
        ->envname("ONCEWIRE_LOG_FORMAT");
    app.add_option("--keep-days", config.keep_days,
                   "Remove messages older than this from each room; 0: keep them for ever")
        ->check(CLI::Range(0, 36'500))
        ->envname("ONCEWIRE_KEEP_DAYS")
        ->capture_default_str();
    app.add_option("--keep-messages", config.keep_messages,
                   "Keep only so many of the newest messages of each room; 0: all")
        ->envname("ONCEWIRE_KEEP_MESSAGES")
        ->capture_default_str();
    app.add_option("--lease-days", config.lease_days,
                   "Forget what senders were told who have been away for longer; 0: never")
        ->check(CLI::Range(0, 36'500))
        ->envname("ONCEWIRE_LEASE_DAYS")
        ->capture_default_str();
    app.add_option("--durability", config.durability,
                   "What stored messages survive: power loss, or only the death of the process")
        ->check(CLI::IsMember({"disk", "process"}))
        ->capture_default_str();
    ops::declare(app, line.command);
    app.set_version_flag("--version", std::string("oncewire-server ") + version);
}

/// A sentence about what cannot be used of it.
std::optional<std::string> check_flags(const product::Config& config) {
    for (const auto& origin : config.origins) {
        if (!product::is_origin(origin)) return origin + " is no origin";
    }
    for (const auto& block : config.trusted_proxies) {
        if (!product::is_block(block)) return block + " is no address, and no block of them";
    }
    for (const auto& name : config.names) {
        if (!product::is_host_name(name)) return name + " is no name of a host in lower case";
    }
    if (product::is_path_prefix(config.prefix)) return std::nullopt;
    return config.prefix + " is no prefix like /chat/";
}

/// What the command line and the environment say, over what the file says. CLI::Error if they cannot be
/// understood.
Result<CommandLine, std::string> read_command_line(int argc, char** argv) {
    CommandLine first;
    for (bool is_second = false;; is_second = true) {
        CLI::App app("Socket.IO chat server that loses nothing and repeats nothing");
        CommandLine line = first;
        declare(app, line);
        try {
            app.parse(argc, argv);
        } catch (const CLI::Success& wanted) {
            std::exit(app.exit(wanted));  // --help, --version
        } catch (const CLI::ParseError& error) {
            return Err{std::string(error.what()) + " (--help lists the flags)"};
        }
        // Once to learn which file, once more over what it says.
        if (const auto mistake = check_flags(line.config)) return Err{*mistake};
        if (is_second || line.config_path.empty()) return line;
        if (const auto read = product::read_config(line.config_path, first.config); !read) {
            return Err{read.error()};
        }
    }
}

/// One sentence, for people.
int fail(const std::string& sentence, int status = 1) {
    return ops::fail("oncewire-server", sentence, status);
}

/// Each connection is a descriptor; the soft limit is often 1,024 for the sake of old programs.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// Every thread inherits this; the main one takes the signals out with sigwait().
sigset_t block_stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

/// Who visitors are, as the configuration says at the moment. Read and replaced by std::atomic_load and
/// std::atomic_store: the atomic<shared_ptr> of libstdc++ 12 lets go of its lock too loosely.
using CurrentIdentity = std::shared_ptr<const product::Identity>;
/// The command line, over what its file says by now.
using ReadAgain = std::function<Result<CommandLine, std::string>()>;

std::vector<net::IpBlock> proxies_of(const product::Config& config) {
    std::vector<net::IpBlock> blocks;
    for (const auto& block : config.trusted_proxies) {
        if (const auto parsed = net::IpBlock::parse(block)) blocks.push_back(*parsed);
    }
    return blocks;
}

/// None: every name will do. `host`: what the server listens on.
std::optional<std::vector<std::string>> names_of(const product::Config& config,
                                                 const std::string& host) {
    auto names = config.names;
    if (std::count(names.begin(), names.end(), "*") > 0) return std::nullopt;
    const bool is_name = host != "localhost" && !product::is_block(host);
    if (is_name) names.push_back(host);
    return names;
}

/// What comes and goes without a restart.
struct Reloadable {
    explicit Reloadable(const product::Config& config)
        : identity(std::make_shared<const product::Identity>(config.identity)),
          origins(config.origins),
          trusted_proxies(proxies_of(config)),
          names(names_of(config, config.host)) {}

    CurrentIdentity identity;
    net::OriginList origins;
    net::Current<std::vector<net::IpBlock>> trusted_proxies;
    net::Current<std::optional<std::vector<std::string>>> names;
};

/// What `said` changes, but not before the server is started again; empty: nothing.
std::string keys_for_restart(const product::Config& running, const product::Config& said) {
    const std::vector<std::string> reloaded = {"server.origins", "server.trusted_proxies",
                                               "server.names", "log.level"};
    std::string list;
    for (const auto& key : product::changed_keys(running, said)) {
        const bool is_in_force = std::count(reloaded.begin(), reloaded.end(), key) > 0;
        if (!is_in_force) list += (list.empty() ? "" : ", ") + key;
    }
    return list;
}

/// Flags and environment still win over the file; one that cannot be used changes nothing.
void reload(const ReadAgain& read_again, const product::Config& running, Reloadable& parts) {
    const auto line = read_again();
    if (!line) return spdlog::error("not reloaded: {}", line.error());
    if (line->config_path.empty()) {
        return spdlog::warn("got SIGHUP, but there is no configuration file");
    }
    const auto& config = line->config;
    std::atomic_store(&parts.identity,
                      CurrentIdentity(std::make_shared<const product::Identity>(config.identity)));
    parts.origins.replace(config.origins);
    parts.trusted_proxies.replace(proxies_of(config));
    parts.names.replace(names_of(config, running.host));
    spdlog::set_level(spdlog::level::from_str(config.log_level));
    const std::string rest = keys_for_restart(running, config);
    spdlog::info("reloaded {}: identity, origins, trusted_proxies, names, the log's level{}",
                 line->config_path,
                 rest.empty() ? "" : "; changed, but only after a restart: " + rest);
}

void await_stop_signal(const sigset_t& signals, const std::function<void()>& on_hangup) {
    int signal = 0;
    while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) on_hangup();
    spdlog::info("got {}, saying goodbye", signal == SIGINT ? "SIGINT" : "SIGTERM");
    // Whoever asks a second time does not want to wait.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

/// One line of JSON for each message: %* is the message as a JSON string.
class JsonMessage final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        const std::string text = json::quoted({message.payload.data(), message.payload.size()});
        out.append(text.data(), text.data() + text.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JsonMessage>();
    }
};

void start_log(const product::Config& config) {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("oncewire"));
    spdlog::set_level(spdlog::level::from_str(config.log_level));
    const bool is_json = config.log_format == "json";
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<JsonMessage>('*').set_pattern(
        is_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%*})"
                : "%Y-%m-%dT%H:%M:%S.%e %l %v");
    spdlog::set_formatter(std::move(formatter));
}

chat::Options chat_options(const product::Config& config, const CurrentIdentity& identity) {
    chat::Options options;
    options.identify = [&identity](const api::Json& auth, UnixMillis now) {
        return std::atomic_load(&identity)->identify(auth, now);
    };
    options.is_revoked = [&identity](const std::string& credential) {
        return !std::atomic_load(&identity)->accepts(credential);
    };
    options.grace = Millis{1000} * config.grace_seconds;
    constexpr std::uint64_t megabyte = 1'000'000;
    options.messages = {config.burst, config.per_second};
    options.messages_of_network = {config.address_burst, config.address_per_second};
    options.stored_of_person_each_day = megabyte * config.megabytes_each_day;
    options.stored_of_network_each_day = 10 * options.stored_of_person_each_day;
    options.rooms = {config.rooms_at_once, 1, 60};
    // 60 pages of history or pictures at once, as somebody scrolls through a year; ten times over.
    options.questions = {600, 60};
    options.searches = {config.search_burst, config.search_per_second};
    options.signals = {config.signal_burst, config.signal_per_second};
    // A thousand people behind one proxy who come back at once, each with a few tabs.
    options.connects_of_network = {30'000, 300};
    const std::uint64_t each_day = megabyte * config.pictures_megabytes_each_day;
    options.pictures = {megabyte * config.pictures_megabytes, each_day, 10 * each_day,
                        Millis{86'400'000} * config.keep_days};
    if (!config.limits) {
        for (auto* rate :
             {&options.messages, &options.messages_of_network, &options.rooms, &options.questions,
              &options.searches, &options.signals, &options.connects_of_network}) {
            *rate = {};
        }
        options.stored_of_person_each_day = options.stored_of_network_each_day = 0;
        options.pictures->of_person_each_day = options.pictures->of_network_each_day = 0;
    }
    return options;
}

/// What is served, to whom, and who says so.
net::HttpServer::Options http_options(const product::Config& config, const Reloadable& parts) {
    net::HttpServer::Options options;
    options.trusted_proxies = parts.trusted_proxies;
    options.engine.names = parts.names;
    options.engine.origins = parts.origins;
    options.prefix = config.prefix;
    if (options.prefix.ends_with('/')) options.prefix.pop_back();
    return options;
}

/// 10 s: our own client says at once whom it wants to join; what says nothing only takes a place.
constexpr Millis connect_timeout{10'000};

void lift_limits(core::Server::Options& options) {
    options.server.max_connections_per_address.reset();
    options.sessions_per_connection.reset();
    options.unfinished.of_one_network = options.unfinished.in_all;
}

/// Whoever runs this by mistake should not have to look for it.
void warn_of_no_limits(const product::Config& config) {
    constexpr const char* warning =
        "limits are off: nothing bounds what a person or an address may do. Only for load tests";
    if (config.log_level == "error" || config.log_level == "off") {
        std::cerr << "oncewire-server: " << warning << std::endl;
    }
    spdlog::warn(warning);
}

std::string url_of(const product::Config& config, std::uint16_t port) {
    const bool is_ipv6 = config.host.find(':') != std::string::npos;
    const std::string host = is_ipv6 ? "[" + config.host + "]" : config.host;
    return "http://" + host + ":" + std::to_string(port);
}

constexpr Millis day{86'400'000};

std::vector<store::RetentionRule> retention_of(const product::Config& config) {
    store::RetentionRule rule;
    if (config.keep_days > 0) rule.age = day * config.keep_days;
    if (config.keep_messages > 0) rule.entries = config.keep_messages;
    if (!rule.age && !rule.entries) return {};
    return {rule};
}

ServerOptions server_options(const product::Config& config) {
    ServerOptions options;
    options.host = config.host;
    options.port = config.port;
    options.cores = config.cores;
    options.keep = retention_of(config);
    options.lease.reset();
    if (config.lease_days > 0) options.lease = day * config.lease_days;
    if (config.recovery_seconds > 0) {
        options.connection_state_recovery.emplace().max_disconnection_duration =
            Millis{1000} * config.recovery_seconds;
    }
    options.max_connections = config.connections;
    options.max_connections_per_address = config.connections_per_address;
    options.connect_timeout = connect_timeout;
    options.log = [](const std::string& sentence) { spdlog::info(sentence); };
    return options;
}

int serve(const CommandLine& line, const ReadAgain& read_again, const ops::Database& database) {
    const product::Config& config = line.config;
    store::Engine::Options store_options;
    store_options.restored = line.command.restored;
    store_options.durability =
        config.durability == "disk" ? store::Durability::disk : store::Durability::process;
    auto store = database.engine.open(database.path, database.epoch_if_new, store_options);
    if (!store) {
        const bool damaged = store.error().error == store::StoreError::corrupt;
        return fail(store.error().sentence, damaged ? ops::damaged_exit_status : 1);
    }
    store::OperatedStore& opened = **store;
    if (!config.limits) warn_of_no_limits(config);

    const sigset_t stop_signals = block_stop_signals();
    Reloadable parts(config);
    core::Server::Options options;
    options.server = server_options(config);
    options.http = http_options(config, parts);
    if (!config.limits) lift_limits(options);
    core::Server server(std::move(options), std::move(*store), [&](api::Application& application) {
        application.set_wall_clock(core::wall_clock_now);
        chat::install_with(application, chat_options(config, parts.identity));
    });
    const auto port = server.start();
    if (!port) return fail(port.error());
    const auto control = ops::open_control(
        database, server, opened, [](const std::string& sentence) { spdlog::warn(sentence); });

    std::cout << "listening on " << url_of(config, *port) << std::endl;
    await_stop_signal(stop_signals, [&] { reload(read_again, config, parts); });
    server.stop();
    return 0;
}

int run(const CommandLine& line, const ReadAgain& read_again) {
    const product::Config& config = line.config;
    if (line.only_print) {
        std::cout << product::print_config(config) << std::flush;
        return 0;
    }
    const store::SqliteEngine engine;
    const ops::Database database{engine, config.database, core::new_epoch()};
    const auto status = ops::perform(line.command, "oncewire-server", database);
    return status ? *status : serve(line, read_again, database);
}

/// What is large goes back to the system as soon as nobody needs it. glibc would learn, from the first body of a
/// megabyte that was freed, to cut the next ones out of its heap [mallopt(3), M_MMAP_THRESHOLD], and a heap with holes
/// kept twice of what limits allow.
void give_large_memory_back() {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const ReadAgain read = [&] { return read_command_line(argc, argv); };
        const auto line = read();
        if (!line) return fail(line.error());
        start_log(line->config);
        std::signal(SIGPIPE, SIG_IGN);
        give_large_memory_back();
        raise_descriptor_limit();
        return run(*line, read);
    } catch (const std::exception& error) {
        return fail(error.what());
    }
}
