#include "server/net/engine_request.hpp"

#include <algorithm>

namespace oncewire::net {
namespace {

struct EngineQuery {
    std::string_view revision;
    std::string_view transport;
    std::string_view sid;
};

/// Of a repeated key the last one counts. Values are not unescaped: those we know need no escapes.
EngineQuery parse_query(std::string_view query) {
    EngineQuery parsed;
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string_view key = pair.substr(0, equals);
        const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
        if (key == "EIO") parsed.revision = value;
        if (key == "transport") parsed.transport = value;
        if (key == "sid") parsed.sid = value;
    }
    return parsed;
}

std::string_view error_message(EngineError error) {
    switch (error) {
        case EngineError::unknown_transport:
            return "Transport unknown";
        case EngineError::unknown_sid:
            return "Session ID unknown";
        case EngineError::bad_handshake_method:
            return "Bad handshake method";
        case EngineError::bad_request:
            return "Bad request";
        case EngineError::forbidden:
            return "Forbidden";
        case EngineError::unsupported_version:
            return "Unsupported protocol version";
    }
    return "";
}

}  // namespace

bool is_engine_request(const HttpRequest& request, const EngineOptions& options) {
    return request.target.starts_with(options.path);
}

bool is_upgrade_request(const HttpRequest& request) {
    return has_token(find_header(request.headers, "Connection"), "upgrade") &&
           !find_header(request.headers, "Upgrade").empty();
}

std::optional<EngineError> check_engine_request(const HttpRequest& request,
                                                const EngineOptions& options) {
    const EngineQuery query = parse_query(query_of(request.target));
    if (query.transport != "websocket") return EngineError::unknown_transport;
    // Every session runs on the WebSocket it began on, so no request can belong to one.
    if (!query.sid.empty()) return EngineError::unknown_sid;
    if (request.method != "GET") return EngineError::bad_handshake_method;
    if (!is_upgrade_request(request)) return EngineError::bad_request;
    if (!is_origin_allowed(request, options)) return EngineError::forbidden;
    if (query.revision != "4") return EngineError::unsupported_version;
    return std::nullopt;
}

bool is_origin_allowed(const HttpRequest& request, const EngineOptions& options) {
    const auto is_origin = [](const auto& header) {
        return equal_ignoring_case(header.first, "Origin");
    };
    const auto count = std::count_if(request.headers.begin(), request.headers.end(), is_origin);
    if (count == 0) return true;
    if (count > 1) return false;
    const std::string_view origin = find_header(request.headers, "Origin");
    const std::string host(find_header(request.headers, "Host"));
    // Behind a proxy that ends TLS the browser says https while we hear http.
    if (origin == "http://" + host || origin == "https://" + host) return true;
    return std::find(options.origins.begin(), options.origins.end(), origin) !=
           options.origins.end();
}

HttpResponse engine_error_response(EngineError error, bool upgrade) {
    const std::string_view message = error_message(error);
    HttpResponse response;
    response.status = error == EngineError::forbidden && !upgrade ? 403 : 400;
    if (upgrade) {
        response.headers = {{"Content-Type", "text/html"}};
        response.body = message;
    } else {
        response.headers = {{"Content-Type", "application/json"}};
        response.body = "{\"code\":" + std::to_string(static_cast<int>(error)) + ",\"message\":\"" +
                        std::string(message) + "\"}";
    }
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return response;
}

}  // namespace oncewire::net
