#include "server/net/websocket_handshake.hpp"

#include <algorithm>

#include "server/net/zip/message_deflate.hpp"
#include "shared/base/base64.hpp"

#include <boost/beast/websocket/detail/hybi13.hpp>

namespace oncewire::net {
namespace {

constexpr std::string_view extensions_header = "Sec-WebSocket-Extensions";

/// [RFC6455 4.1] The base64 form of 16 bytes.
bool is_key(std::string_view key) {
    const auto bytes = base64::decode(key);
    return key.size() == 24 && bytes && bytes->size() == 16;
}

std::string accept_key(std::string_view key) {
    boost::beast::websocket::detail::sec_ws_accept_type accept;
    boost::beast::websocket::detail::make_sec_ws_accept(accept, {key.data(), key.size()});
    return {accept.data(), accept.size()};
}

/// The offers may be spread over several headers. [RFC6455 9.1]
bool is_deflate_offered(const HeaderList& headers) {
    return std::any_of(headers.begin(), headers.end(), [](const auto& header) {
        return equal_ignoring_case(header.first, extensions_header) &&
               offers_deflate(header.second);
    });
}

HttpResponse refuse(std::string_view why) {
    HttpResponse response;
    response.status = 400;
    response.headers = {{"Content-Type", "text/html"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Sec-WebSocket-Version", "13"}};
    response.body = why;
    return response;
}

}  // namespace

HttpResponse answer_handshake(const HttpRequest& request, bool deflate) {
    const auto& headers = request.headers;
    const std::string_view key = find_header(headers, "Sec-WebSocket-Key");
    if (request.method != "GET" ||
        !equal_ignoring_case(find_header(headers, "Upgrade"), "websocket")) {
        return refuse("Invalid Upgrade header");
    }
    if (!is_key(key)) return refuse("Missing or invalid Sec-WebSocket-Key header");
    if (find_header(headers, "Sec-WebSocket-Version") != "13") {
        return refuse("Missing or invalid Sec-WebSocket-Version header");
    }
    HttpResponse response;
    response.status = 101;
    response.headers = {{"Upgrade", "websocket"},
                        {"Connection", "Upgrade"},
                        {"Sec-WebSocket-Accept", accept_key(key)}};
    // A browser that offers sub-protocols fails the connection if none is chosen; none has a meaning
    // here, so the first will do.
    const std::string_view offered = find_header(headers, "Sec-WebSocket-Protocol");
    const std::string_view first = offered.substr(0, offered.find_first_of(", \t"));
    if (!first.empty()) response.headers.emplace_back("Sec-WebSocket-Protocol", first);
    if (deflate && is_deflate_offered(headers)) {
        response.headers.emplace_back(extensions_header, deflate_answer);
    }
    return response;
}

bool agrees_to_deflate(const HttpResponse& answer) {
    return !find_header(answer.headers, extensions_header).empty();
}

}  // namespace oncewire::net
