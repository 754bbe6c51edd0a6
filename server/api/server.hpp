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
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace CLI {
class App;
}

namespace oncewire::api {

// What Server::Options holds as optional stands outside of it: clang++ cannot make a nested class with
// default values before the enclosing one is complete.

/// For how long, and how much, is kept for clients that lose their link. All of it is in `database`,
/// so a file lets them come back after the server was killed, too.
struct ConnectionStateRecovery {
    Millis max_disconnection_duration{120'000};
    std::uint64_t entries_max = 100'000;    ///< recorded events
    std::uint64_t bytes_max = 64ull << 20;  ///< of them
};

/// [RFC6265 4.1]
struct Cookie {
    std::string name = "io";
    std::string path = "/";                    ///< empty: none
    std::string domain = {};                   ///< empty: this host only
    bool http_only = true;                     ///< scripts of the page cannot read it
    bool secure = false;                       ///< over TLS only
    std::string same_site = "Lax";             ///< "Lax", "Strict", "None", or empty for none
    std::optional<std::int64_t> max_age = {};  ///< seconds; none: as long as the browser runs
};

/// Files to serve.
struct Folder {
    std::string url = "/";  ///< begins and ends with a slash
    std::string directory;
};

/// Where a server's log goes if Server::Options says nothing else. Any thread.
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
    struct Options {
        std::string host = "127.0.0.1";
        std::uint16_t port = 3000;          ///< 0: any free one
        std::string database = ":memory:";  ///< a file, made if missing; ":memory:" keeps nothing
        std::uint16_t cores = 1;            ///< threads that serve connections
        /// How much history is kept; none: all of it. Readers who missed what is gone are told.
        std::vector<store::RetentionRule> keep = {};
        /// What senders of durable messages were told is forgotten when they have been away for so long;
        /// none: never. Who comes back later with a message that was offered before is told that nobody
        /// knows its outcome; it is not stored twice.
        std::optional<Millis> lease = Millis{90ll * 24 * 3'600'000};
        std::string path = "/socket.io/";
        /// Pages that may connect besides the server's own: "https://example.org"; "*": every page.
        std::vector<std::string> origins = {};
        Millis ping_interval{25'000};
        Millis ping_timeout{20'000};
        Millis connect_timeout{45'000};  ///< for a connection that joins no namespace
        /// Set: whoever comes back in time is who they were, with their rooms and what they missed, and
        /// everything that is emitted without asking for an answer is committed before it is sent.
        /// Middlewares run again every time.
        std::optional<ConnectionStateRecovery> connection_state_recovery = {};

        /// Bytes of one message, its attachments included; told to every client. At most 256 MiB.
        std::uint32_t max_http_buffer_size = 1'000'000;
        bool polling = true;         ///< sessions may begin by long-polling
        bool websocket = true;       ///< sessions may begin on a WebSocket, or move to one
        bool allow_upgrades = true;  ///< sessions that poll are told that they may move
        /// Answers to polls are compressed from this many bytes on, if the client can read it.
        std::optional<std::uint32_t> http_compression = 1024;
        /// WebSocket messages are compressed from this many bytes on, if the client offers it. Off:
        /// it costs processor time on every message.
        std::optional<std::uint32_t> per_message_deflate = {};
        /// Set by the answer to a polling handshake: for load balancers that must find the way back.
        std::optional<Cookie> cookie = {};

        bool serve_client = true;  ///< the browser client, as `path` + "socket.io.js" and the like
        /// Folders to serve: read once, when listening begins.
        std::vector<Folder> folders = {};
        Millis header_timeout{5'000};      ///< for a whole request head; also between two requests
        Millis body_timeout{10'000};       ///< for the body of a POST
        Millis admission_timeout{10'000};  ///< for a hook of allow_request() or on_http()

        /// Proxies in front, as addresses or blocks: "127.0.0.1", "10.0.0.0/8". What they say of their
        /// clients counts: X-Forwarded-For, -Proto, -Host and -Prefix, Forwarded, and the PROXY protocol. Of
        /// anybody else nothing of it is read.
        std::vector<std::string> trusted_proxies = {};
        /// What the server is called by, in lower case: "chat.example.org". Requests that ask for another
        /// name are refused then, except for addresses and names without a dot. Empty: any will do, as for
        /// the original, and then a page of any site can pass for the server's own by giving its own name
        /// to the server's address; name what listens on a machine that people browse from.
        std::vector<std::string> names = {};
        /// Connections and polling sessions at once: in all, and of one address (Handshake::network),
        /// loopback like others. What comes by a trusted proxy is counted for the client it names.
        std::uint32_t max_connections = 100'000;
        std::uint32_t max_connections_per_address = 1'024;
        /// One line for operators, without its end: what handlers throw, with the event's name, and what
        /// goes wrong with files and sockets. Called from any thread.
        std::function<void(const std::string& line)> log = write_to_standard_error;
    };
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
