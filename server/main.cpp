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
    app.set_version_flag("--version", std::string("oncewire-server ") + version);
}

/// One sentence, for people; the exit status is always 1.
int fail(const std::string& sentence) {
    std::cerr << "oncewire-server: " << sentence << std::endl;
    return 1;
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

int serve(const Flags& flags) {
    const delivery::Epoch epoch{base64::encode_url(core::random_bytes(12))};
    auto store = store::SqliteStore::open(flags.database, epoch);
    if (!store) return fail(store.error().sentence);

    const sigset_t stop_signals = block_stop_signals();
    core::Server::Options options;
    options.address = {flags.host, flags.port};
    options.cores = flags.cores;
    options.http.engine.origins = flags.origins;
    options.log = [](const std::string& line) { spdlog::info(line); };
    core::Server server(std::move(options), std::move(*store), chat::install);
    const auto port = server.start();
    if (!port) return fail(port.error());

    std::cout << "listening on " << url_of(flags, *port) << std::endl;
    await_stop_signal(stop_signals);
    server.stop();
    return 0;
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
        return serve(flags);
    } catch (const std::exception& error) {
        return fail(error.what());
    }
}
