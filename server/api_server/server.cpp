// The public Server: everything its header keeps away from applications.
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <utility>

#include "server/api/server.hpp"
#include "server/api_server/complaint.hpp"
#include "server/api_server/database.hpp"
#include "server/api_server/stop_signals.hpp"
#include "server/core/environment.hpp"
#include "server/core/server.hpp"
#include "server/net/gate/static_files.hpp"
#include "server/operator/commands.hpp"

namespace oncewire::api {
namespace {

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
    const ops::Database database = database_of(options_.database);
    auto store = database.engine.open(database.path, database.epoch_if_new, store_options);
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
