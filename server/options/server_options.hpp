#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/store/retention.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/time.hpp"

namespace oncewire {

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
    /// [draft-cutler-httpbis-partitioned-cookies] A page that is embedded in others has one for each of them.
    /// Browsers want `secure`, too.
    bool partitioned = false;
};

/// Files to serve.
struct Folder {
    std::string url = "/";  ///< begins and ends with a slash
    std::string directory;
};

/// Everything a server can be told, under the names that Socket.IO and Engine.IO have for it, in snake_case, where
/// they have one. One value goes from the public Server down to whoever obeys, so that each option has one name
/// and one default. Copied into each part when it is made; never changed after that.
struct ServerOptions {
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
    std::uint32_t max_http_buffer_size = limits::message_bytes;
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
    std::optional<std::uint32_t> max_connections_per_address = 1'024;  ///< none: any number
    /// One line for operators, without its end: what handlers throw, with the event's name, and what
    /// goes wrong with files and sockets. Called from any thread. Empty: standard error.
    std::function<void(const std::string& line)> log = {};
};

}  // namespace oncewire
