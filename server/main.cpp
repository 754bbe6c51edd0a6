// The chat server as a program: flags, log, signals.
#include <sys/resource.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "server/chat/chat.hpp"
#include "server/core/environment.hpp"
#include "server/core/operations.hpp"
#include "server/core/server.hpp"
#include "server/store/sqlite_store.hpp"
#include "shared/base/base64.hpp"

namespace {

using namespace oncewire;

constexpr const char* version = ONCEWIRE_VERSION;

struct Flags {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3000;
    std::string database = "oncewire.db";
    std::uint16_t cores = 1;
    std::vector<std::string> origins;
    std::string log_level = "info";
    bool restored = false;
    std::string durability = "disk";
    std::string check;
    std::string backup;
    bool status = false;
};

void declare(CLI::App& app, Flags& flags) {
    app.add_option("--host", flags.host, "Address or name to listen on")->capture_default_str();
    app.add_option("--port", flags.port, "Port to listen on; 0: any free one")
        ->capture_default_str();
    app.add_option("--db", flags.database, "Database file, made if missing; :memory: keeps nothing")
        ->capture_default_str();
    app.add_option("--cores", flags.cores, "Threads that serve connections")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app.add_option("--origin", flags.origins,
                   "Also let pages of this origin connect, like https://example.org; repeatable");
    app.add_option("--log-level", flags.log_level, "What goes to standard error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
        ->capture_default_str();
    app.add_flag("--restored", flags.restored,
                 "The database is an older copy, put back on purpose: begin a new history, so that "
                 "readers are told");
    app.add_option("--durability", flags.durability,
                   "What stored messages survive: power loss, or only the death of the process")
        ->check(CLI::IsMember({"disk", "process"}))
        ->capture_default_str();
    app.add_option("--check", flags.check,
                   "Examine this database and end: 0 sound, 75 damaged, 1 could not look");
    app.add_option(
        "--backup", flags.backup,
        "Copy the database of --db to this new file and end; a server may be serving it");
    app.add_flag("--status", flags.status,
                 "Print the counters of the server that serves --db, for Prometheus, and end");
    app.set_version_flag("--version", std::string("oncewire-server ") + version);
}

/// One sentence, for people.
int fail(const std::string& sentence, int status = 1) {
    std::cerr << "oncewire-server: " << sentence << std::endl;
    return status;
}

int check(const std::string& database) {
    const auto examined = core::examine(database);
    if (!examined) return fail(examined.error());
    (examined->is_sound ? std::cout : std::cerr) << examined->text << std::flush;
    return examined->is_sound ? 0 : core::damaged_exit_status;
}

int print(const Result<std::string, std::string>& answer) {
    if (!answer) return fail(answer.error());
    std::cout << *answer << std::flush;
    return 0;
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
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

void await_stop_signal(const sigset_t& signals) {
    int signal = 0;
    sigwait(&signals, &signal);
    spdlog::info("got {}, saying goodbye", signal == SIGINT ? "SIGINT" : "SIGTERM");
    // Whoever asks a second time does not want to wait.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

std::string url_of(const Flags& flags, std::uint16_t port) {
    const bool is_ipv6 = flags.host.find(':') != std::string::npos;
    const std::string host = is_ipv6 ? "[" + flags.host + "]" : flags.host;
    return "http://" + host + ":" + std::to_string(port);
}

/// Null: it cannot be had, and serving goes on without it.
std::unique_ptr<core::Control> open_control(const std::string& database,
                                            std::map<std::string, core::Control::Verb> verbs) {
    const std::string path = core::Control::path_for(database);
    if (path.empty()) return nullptr;
    auto control = std::make_unique<core::Control>(path, std::move(verbs));
    const auto started = control->start();
    if (started) return control;
    spdlog::warn("no --backup and no --status while serving: {}", started.error());
    return nullptr;
}

int serve(const Flags& flags) {
    const delivery::Epoch epoch{base64::encode_url(core::random_bytes(12))};
    store::SqliteStore::Options store_options;
    store_options.restored = flags.restored;
    store_options.durability =
        flags.durability == "disk" ? store::Durability::disk : store::Durability::process;
    auto store = store::SqliteStore::open(flags.database, epoch, store_options);
    if (!store) {
        const bool damaged = store.error().error == store::StoreError::corrupt;
        return fail(store.error().sentence, damaged ? core::damaged_exit_status : 1);
    }
    store::SqliteStore& opened = **store;

    const sigset_t stop_signals = block_stop_signals();
    core::Server::Options options;
    options.address = {flags.host, flags.port};
    options.cores = flags.cores;
    options.http.engine.origins = flags.origins;
    options.log = [](const std::string& line) { spdlog::info(line); };
    core::Server server(std::move(options), std::move(*store), chat::install);
    const auto port = server.start();
    if (!port) return fail(port.error());
    const auto control = open_control(flags.database, core::control_verbs(server, opened));

    std::cout << "listening on " << url_of(flags, *port) << std::endl;
    await_stop_signal(stop_signals);
    server.stop();
    return 0;
}

int run(const Flags& flags) {
    if (!flags.check.empty()) return check(flags.check);
    if (!flags.backup.empty()) return print(core::back_up(flags.database, flags.backup));
    if (flags.status) return print(core::ask_status(flags.database));
    return serve(flags);
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app("Socket.IO chat server that loses nothing and repeats nothing");
    declare(app, flags);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {
        return app.exit(wanted);  // --help, --version
    } catch (const CLI::ParseError& error) {
        return fail(std::string(error.what()) + " (--help lists the flags)");
    }
    spdlog::set_default_logger(spdlog::stderr_logger_mt("oncewire"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    spdlog::set_level(spdlog::level::from_str(flags.log_level));
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    try {
        return run(flags);
    } catch (const std::exception& error) {
        return fail(error.what());
    }
}
