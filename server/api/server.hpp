#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/api/application.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace oncewire::api {

/// A whole server: listens, and runs an Application on each core and one sequencer behind them.
///
///     int main(int argc, char** argv) {
///         oncewire::api::Server server({}, [](oncewire::api::Application& io) {
///             io.on("hello", [](oncewire::api::Socket socket) { socket.emit("world"); });
///         });
///         return server.run(argc, argv);
///     }
class Server {
  public:
    struct Options {
        std::string host = "127.0.0.1";
        std::uint16_t port = 3000;          ///< 0: any free one
        std::string database = ":memory:";  ///< a file, made if missing; ":memory:" keeps nothing
        std::uint16_t cores = 1;            ///< threads that serve connections
        std::string path = "/socket.io/";
        /// Pages that may connect besides the server's own: "https://example.org"; "*": every page.
        std::vector<std::string> origins = {};
        Millis ping_interval{25'000};
        Millis ping_timeout{20'000};
        Millis connect_timeout{45'000};  ///< for a connection that joins no namespace
        /// One line for operators; called from any thread.
        std::function<void(const std::string&)> log = [](const std::string&) {};
    };
    /// Registers handlers. Called once for each core and once for the sequencer, each with an
    /// Application of its own; what it captures is shared by all of them and must bear it.
    using Install = std::function<void(Application&)>;

    Server(Options options, Install install);
    /// Stops, if need be.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Serves from now on, on threads of its own. The port, or a sentence why not.
    Result<std::uint16_t, std::string> listen();
    /// Says goodbye to clients, stores what was received, ends all threads. Blocks. Handlers are not
    /// called any more.
    void stop();

    /// All that is left of a main(): takes --host, --port, --db, --cores and --origin from the command
    /// line, listens, says so on standard output, and stops at SIGINT or SIGTERM. What to exit with.
    int run(int argc, char** argv);

  private:
    class Running;

    Options options_;
    Install install_;
    std::unique_ptr<Running> running_;
};

}  // namespace oncewire::api
