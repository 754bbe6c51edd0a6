#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/net/gate/current.hpp"
#include "server/net/gate/http_message.hpp"
#include "server/net/gate/origin_list.hpp"
#include "server/options/server_options.hpp"
#include "shared/base/result.hpp"

/// The HTTP requests of Engine.IO, judged without I/O.
namespace oncewire::net {

struct EngineOptions {
    /// But for origins and names, which may be replaced while it runs and stand below.
    ServerOptions server = {};
    OriginList origins = {};
    /// What the server is called by, in lower case: a host, or a host with its port. Requests that ask for
    /// another are refused, because a page can give its own name to our address (DNS rebinding) and is of
    /// our origin then. Addresses and names without a dot always will do: no stranger can have those. None:
    /// every name will do.
    Current<std::optional<std::vector<std::string>>> names = {};
};

/// The codes and messages that clients know.
enum class EngineError : std::uint8_t {
    unknown_transport,
    unknown_sid,
    bad_handshake_method,
    bad_request,
    forbidden,
    unsupported_version,
};

bool is_engine_request(const HttpRequest& request, const EngineOptions& options);
/// The client asks to leave HTTP, whatever for. [RFC9110 7.8]
bool is_upgrade_request(const HttpRequest& request);

/// Where the session that a request names stands.
enum class SessionKind : std::uint8_t {
    none,     ///< no sid in the request
    unknown,  ///< never was, or is over
    polling,
    probing,  ///< on polling, while a WebSocket is being tried
    websocket,
    elsewhere,  ///< another core's; that one judges
};
/// The sid of an engine request; empty if it opens a session.
std::string_view engine_sid(const HttpRequest& request);
/// What tells a request of a polling session from all others of it; empty if the client does not promise
/// that: only ours does, by a stamp that begins with an asterisk. Stamps of others are often the time,
/// and two requests of one second are not the same.
std::string_view request_mark(const HttpRequest& request);
/// The client can take no bytes on its WebSocket: they go as base64 in text. [EIO4 Packet encoding]
bool wants_base64(const HttpRequest& request);

/// What an engine request that may go on asks for.
enum class EngineAction : std::uint8_t {
    open_polling,    ///< the handshake GET: park it, its answer is the open packet
    open_websocket,  ///< a session that begins on a WebSocket
    poll,
    post,
    upgrade,            ///< a WebSocket for a session that polls; the session may refuse it
    preflight,          ///< [Fetch 3.2.2] OPTIONS from another origin
    method_not_allowed  ///< with a good sid; the session is unharmed
};
/// In the order in which the reference looks; an EIO of another revision is refused before the
/// upgrade, not after it.
Result<EngineAction, EngineError> judge_engine_request(const HttpRequest& request,
                                                       const EngineOptions& options,
                                                       SessionKind session);

/// [Fetch 3.2] What lets a page of an allowed origin read the answer; nothing for others.
void add_cors_headers(HttpResponse& response, const HttpRequest& request,
                      const EngineOptions& options);
HttpResponse preflight_response(const HttpRequest& request, const EngineOptions& options);

/// Whether the server goes by the name that the request asks for; a peer of HTTP/1.0 may ask for none.
bool is_host_allowed(const HttpRequest& request, const EngineOptions& options);

/// Exact: scheme, host and port of an Origin equal those this request was sent to, those of one of the
/// names, or one of the list; ws and wss stand for http and https. Which scheme the request was sent by
/// only a trusted proxy can say, without one either will do.
/// No Origin at all is no browser, which could claim anything [RFC6455 10.2]; or an element of a page, and
/// of another site's it is refused if the browser says so. [Fetch Metadata]
bool is_origin_allowed(const HttpRequest& request, const EngineOptions& options);

/// JSON for a plain request; the bare message for one that asked for an upgrade. `message`: instead of
/// the usual words.
HttpResponse engine_error_response(EngineError error, bool upgrade, std::string_view message = {});

}  // namespace oncewire::net
