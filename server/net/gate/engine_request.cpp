#include "server/net/gate/engine_request.hpp"

#include <algorithm>

#include "server/net/gate/address.hpp"

#include "shared/base/json.hpp"

namespace oncewire::net {
namespace {

constexpr std::string_view any_origin = "*";

struct EngineQuery {
    std::string_view revision;
    std::string_view transport;
    std::string_view sid;
    std::string_view base64;
    std::string_view stamp;
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
        if (key == "b64") parsed.base64 = value;
        if (key == "t") parsed.stamp = value;
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

/// Clients that are no browsers write the scheme of their WebSocket: it stands for the one it begins as.
std::string as_http(std::string_view origin) {
    const bool is_websocket = origin.starts_with("ws://") || origin.starts_with("wss://");
    return is_websocket ? "http" + std::string(origin.substr(2)) : std::string(origin);
}

/// `host` may name the port that the scheme means anyway, which an origin leaves out. [RFC6454 6.2]
bool is_own(std::string_view origin, std::string_view scheme, std::string_view host,
            std::string_view usual_port) {
    if (!origin.starts_with(scheme)) return false;
    origin.remove_prefix(scheme.size());
    if (origin.empty()) return false;  // as a peer of HTTP/1.0 leaves Host out
    if (origin == host) return true;
    return host.ends_with(usual_port) && origin == host.substr(0, host.size() - usual_port.size());
}

/// Whether a page of ours that was asked for as `host` has this origin.
bool is_page_of(std::string_view origin, std::string_view host, std::optional<bool> secure) {
    return (secure != true && is_own(origin, "http://", host, ":80")) ||
           (secure != false && is_own(origin, "https://", host, ":443"));
}

std::string_view without_port(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

/// No stranger can have these: names that mean this machine [RFC6761 6.3]; names of one label, which only
/// the network around us gives away ("localhost", "chat", a service of a container); and addresses.
bool is_name_of_no_stranger(std::string_view name) {
    if (name.starts_with('[') && name.ends_with(']')) {
        return IpAddress::parse(name.substr(1, name.size() - 2)).has_value();
    }
    constexpr std::string_view below = ".localhost";
    const std::string_view end = name.substr(name.size() - std::min(name.size(), below.size()));
    const bool is_one_label = !name.empty() && name.find_first_of(".[") == name.npos;
    return is_one_label || equal_ignoring_case(end, below) || IpAddress::parse(name).has_value();
}

bool is_name(std::string_view host, const EngineOptions& options) {
    const auto names = options.names.now();
    if (!*names || host.empty()) return true;
    const std::string_view name = without_port(host);
    return is_name_of_no_stranger(name) ||
           std::any_of((*names)->begin(), (*names)->end(), [&](const auto& ours) {
               return equal_ignoring_case(ours, name) || equal_ignoring_case(ours, host);
           });
}

/// As the client wrote it, whom a proxy may have asked in other words.
std::string_view asked_host(const HttpRequest& request) {
    const auto& host = request.client.host;
    return host ? std::string_view(*host) : find_header(request.headers, "Host");
}

bool is_own_page(std::string_view origin, const HttpRequest& request,
                 const EngineOptions& options) {
    const std::optional<bool> secure = request.client.secure;
    if (is_host_allowed(request, options) && is_page_of(origin, asked_host(request), secure)) {
        return true;
    }
    const auto names = options.names.now();
    return *names && std::any_of((*names)->begin(), (*names)->end(), [&](const auto& name) {
        return is_page_of(origin, name, secure);
    });
}

/// [Fetch Metadata] An image, a script, a frame or a link on a page of another site: browsers name no
/// Origin for these, and nobody connects by them.
bool is_planted(const HeaderList& headers) {
    const std::string_view use = find_header(headers, "Sec-Fetch-Dest");
    const bool is_connection = use.empty() || use == "empty" || use == "websocket";
    return find_header(headers, "Sec-Fetch-Site") == "cross-site" && !is_connection;
}

/// A request with a sid.
Result<EngineAction, EngineError> judge_in_session(const HttpRequest& request,
                                                   const EngineQuery& query, SessionKind session) {
    const bool unknown = session == SessionKind::unknown || session == SessionKind::elsewhere;
    if (unknown) return Err{EngineError::unknown_sid};
    if (query.revision != "4") return Err{EngineError::bad_request};
    if (is_upgrade_request(request)) {
        const bool fits = query.transport == "websocket" && request.method == "GET";
        if (!fits) return Err{EngineError::bad_request};
        return EngineAction::upgrade;
    }
    const bool polls = session == SessionKind::polling || session == SessionKind::probing;
    if (!polls || query.transport != "polling") return Err{EngineError::bad_request};
    if (request.method == "GET") return EngineAction::poll;
    if (request.method == "POST") return EngineAction::post;
    return EngineAction::method_not_allowed;
}

}  // namespace

bool is_engine_request(const HttpRequest& request, const EngineOptions& options) {
    return request.target.starts_with(options.server.path);
}

bool is_upgrade_request(const HttpRequest& request) {
    return has_token(find_header(request.headers, "Connection"), "upgrade") &&
           !find_header(request.headers, "Upgrade").empty();
}

std::string_view engine_sid(const HttpRequest& request) {
    return parse_query(query_of(request.target)).sid;
}

std::string_view request_mark(const HttpRequest& request) {
    constexpr std::size_t mark_bytes_max = 32;
    const std::string_view stamp = parse_query(query_of(request.target)).stamp;
    return stamp.starts_with('*') && stamp.size() <= mark_bytes_max ? stamp : std::string_view();
}

bool wants_base64(const HttpRequest& request) {
    return !parse_query(query_of(request.target)).base64.empty();
}

Result<EngineAction, EngineError> judge_engine_request(const HttpRequest& request,
                                                       const EngineOptions& options,
                                                       SessionKind session) {
    const EngineQuery query = parse_query(query_of(request.target));
    const bool upgrade = is_upgrade_request(request);
    if (request.method == "OPTIONS" &&
        !find_header(request.headers, "Access-Control-Request-Method").empty() &&
        is_origin_allowed(request, options)) {
        return EngineAction::preflight;
    }
    const bool polling = query.transport == "polling";
    const bool enabled = polling ? options.server.polling : options.server.websocket;
    if (!enabled || (!polling && query.transport != "websocket")) {
        return Err{EngineError::unknown_transport};
    }
    if (session != SessionKind::none) {
        if (!is_origin_allowed(request, options)) return Err{EngineError::forbidden};
        return judge_in_session(request, query, session);
    }
    if (request.method != "GET") return Err{EngineError::bad_handshake_method};
    if (polling == upgrade) return Err{EngineError::bad_request};
    if (!is_origin_allowed(request, options)) return Err{EngineError::forbidden};
    if (query.revision != "4") return Err{EngineError::unsupported_version};
    return polling ? EngineAction::open_polling : EngineAction::open_websocket;
}

bool is_host_allowed(const HttpRequest& request, const EngineOptions& options) {
    return is_name(find_header(request.headers, "Host"), options) &&
           is_name(asked_host(request), options);
}

bool is_origin_allowed(const HttpRequest& request, const EngineOptions& options) {
    const auto is_origin = [](const auto& header) {
        return equal_ignoring_case(header.first, "Origin");
    };
    const auto count = std::count_if(request.headers.begin(), request.headers.end(), is_origin);
    if (count == 0) return !is_planted(request.headers);
    if (count > 1) return false;
    const std::string origin = as_http(find_header(request.headers, "Origin"));
    // Behind a proxy that ends TLS the browser says https while we hear http.
    if (is_own_page(origin, request, options)) return true;
    const auto origins = options.origins.now();
    return std::any_of(origins->begin(), origins->end(), [&](const auto& allowed) {
        return allowed == origin || allowed == any_origin;
    });
}

void add_cors_headers(HttpResponse& response, const HttpRequest& request,
                      const EngineOptions& options) {
    const std::string_view origin = find_header(request.headers, "Origin");
    const auto origins = options.origins.now();
    if (origin.empty() || origins->empty()) return;
    response.headers.emplace_back("Vary", "Origin");
    if (!is_origin_allowed(request, options)) return;
    const bool any = std::find(origins->begin(), origins->end(), any_origin) != origins->end();
    response.headers.emplace_back("Access-Control-Allow-Origin", any ? any_origin : origin);
    if (!any) response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
}

HttpResponse preflight_response(const HttpRequest& request, const EngineOptions& options) {
    HttpResponse response;
    response.status = 204;
    add_cors_headers(response, request, options);
    response.headers.emplace_back("Access-Control-Allow-Methods", "GET,POST");
    const std::string_view asked = find_header(request.headers, "Access-Control-Request-Headers");
    if (!asked.empty()) response.headers.emplace_back("Access-Control-Allow-Headers", asked);
    response.headers.emplace_back("Access-Control-Max-Age", "600");
    return response;
}

HttpResponse engine_error_response(EngineError error, bool upgrade, std::string_view message) {
    if (message.empty()) message = error_message(error);
    HttpResponse response;
    response.status = error == EngineError::forbidden && !upgrade ? 403 : 400;
    if (upgrade) {
        response.headers = {{"Content-Type", "text/html"}};
        response.body = message;
    } else {
        response.headers = {{"Content-Type", "application/json"}};
        response.body = "{\"code\":" + std::to_string(static_cast<int>(error)) + ",\"message\":";
        json::append_quoted(response.body, message);
        response.body += '}';
    }
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return response;
}

}  // namespace oncewire::net
