#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/api/application.hpp"
#include "server/api/signature.hpp"
#include "server/options/server_options.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace CLI {
class App;
}

namespace oncewire::api {

using oncewire::ConnectionStateRecovery;
using oncewire::Cookie;
using oncewire::Folder;

/// Where a server's log goes if its options say nothing else. Any thread.
void write_to_standard_error(const std::string& line);

namespace internal {

/// The function's answer; true if it has none.
template <class F, class... A>
bool said_yes(F& take, const A&... value) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const A&...>>) {
        take(value...);
        return true;
    } else {
        return static_cast<bool>(take(value...));
    }
}
template <class F>
struct FirstParameterOf {
    using Type = std::int64_t;
};
template <HasSignature F>
struct FirstParameterOf<F> {
    using Type = std::decay_t<std::tuple_element_t<0, typename Signature<F>::Parameters>>;
};
template <class F>
using FirstParameter = typename FirstParameterOf<F>::Type;

}  // namespace internal

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
    using Options = ServerOptions;  ///< all that it can be told
    /// Registers handlers. Called once for the sequencer and once for each core, each with an
    /// Application of its own, which lives as long as the server listens; what it captures is shared by
    /// all of them and must bear it. Durable handlers run on the sequencer's, where nobody is connected:
    /// they tell others by Tx::publish() and the like, and what they emit reaches nobody.
    using Install = std::function<void(Application&)>;

    template <class F>
    Server(Options options, F install)
        : Server(std::move(options), AsInstall{}, installer(std::move(install))) {}
    /// Stops, if need be.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Serves from now on, on threads of its own. The port, or a sentence why not: an option that makes
    /// no sense, a database or an address that cannot be used.
    Result<std::uint16_t, std::string> listen();
    /// Finishes the handlers that run and tells what came of them, says goodbye to clients, stores what
    /// was received, ends all threads. Blocks. Handlers are not called any more.
    void stop();

    /// May be changed until listen().
    Options& options() { return options_; }

    /// A flag of the application's own, for run() and --help. `flag`: "--quiet", or with what its value is
    /// called "--room NAME". `take` is called once the command line is read: with nothing,
    /// or with the value as a std::string or an integer; if it returns false, the value cannot be used.
    ///
    ///     server.flag("--room NAME", "where newcomers begin", [&](std::string name) { room = name; });
    template <class F>
    Server& flag(std::string flag, std::string help, F take) {
        constexpr bool is_bare = internal::is_function_of<F, void>;
        constexpr bool is_text = internal::is_function_of<F, void, std::string>;
        constexpr bool is_number = internal::is_function_of<F, void, std::int64_t>;
        static_assert(
            is_bare || is_text || is_number,
            "oncewire: flag() wants a function that can be copied and takes nothing, or the value "
            "as a std::string or as an integer");
        if constexpr (is_bare) {
            flags_.push_back(
                {std::move(flag), std::move(help), false,
                 [take](const std::string&) mutable { return internal::said_yes(take); }});
        } else if constexpr (is_text) {
            flags_.push_back(
                {std::move(flag), std::move(help), true, [take](const std::string& text) mutable {
                     return internal::said_yes(take, text);
                 }});
        } else if constexpr (is_number) {
            using Number = internal::FirstParameter<F>;
            flags_.push_back(
                {std::move(flag), std::move(help), true, [take](const std::string& text) mutable {
                     const auto number = Decoder<Number>::decode(text, {});
                     return number && internal::said_yes(take, *number);
                 }});
        }
        return *this;
    }
    /// Takes off the command line what run() knows: --host, --port, --db, --cores, --origin, the flags above,
    /// and what operators ask: --check, --backup, --status, --where, --restored, --help. The rest is left in
    /// its order, for whoever looks at it afterwards. A number: all was done, and this is what to exit with.
    std::optional<int> take_flags(int& argc, char** argv);

    /// Listens, says so on standard output, and stops at SIGINT or SIGTERM. What to exit with: 75 if the
    /// database is damaged. While it serves, the same program with --status, --where or --backup and the same
    /// --db is answered by it.
    int run();
    /// All that is left of a main(): take_flags(), which must leave nothing, and run().
    int run(int argc, char** argv);

  private:
    class Running;
    struct AsInstall {};
    struct Flag {
        std::string flag;
        std::string help;
        bool has_value = false;
        std::function<bool(const std::string& value)> take;
    };

    Server(Options options, AsInstall, Install install);
    template <class F>
    static Install installer(F install) {
        constexpr bool is_fine = internal::is_function_of<F, void, Application&>;
        static_assert(
            is_fine,
            "oncewire: a Server wants a function that can be copied and takes (Application&)");
        if constexpr (is_fine) {
            return Install(std::move(install));
        } else {
            return {};
        }
    }

    static void declare(CLI::App& app, const Flag& flag);

    Options options_;
    Install install_;
    std::vector<Flag> flags_;
    bool restored_ = false;  // the database is an older copy, put back on purpose
    std::string program_ = "server";
    int status_if_refused_ = 1;
    std::unique_ptr<Running> running_;
};

}  // namespace oncewire::api
