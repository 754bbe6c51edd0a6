#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/net/http_message.hpp"

/// The HTTP requests of Engine.IO, judged without I/O.
namespace oncewire::net {

struct EngineOptions {
    std::string path = "/socket.io/";
    /// Origins besides the server's own that browsers may connect from: "https://example.org".
    std::vector<std::string> origins;
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

/// What is wrong with an engine request, in the order in which the reference looks. None: it opens a
/// session on a WebSocket, if answer_handshake() agrees. Long-polling is not a transport yet.
std::optional<EngineError> check_engine_request(const HttpRequest& request,
                                                const EngineOptions& options);

/// Exact: scheme, host and port of an Origin equal those this request was sent to, or one of the list.
/// No Origin at all is no browser, which could claim anything. [RFC6455 10.2]
bool is_origin_allowed(const HttpRequest& request, const EngineOptions& options);

/// JSON for a plain request; the bare message for one that asked for an upgrade.
HttpResponse engine_error_response(EngineError error, bool upgrade);

}  // namespace oncewire::net
