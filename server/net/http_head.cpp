#include "server/net/http_head.hpp"

#include <iterator>

#include "server/net/gate/http_gate.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace oncewire::net {

namespace http = boost::beast::http;

std::optional<HttpRequest> parse_head(std::string_view head) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(head_bytes_max);
    parser.body_limit(boost::none);  // the gate has judged it
    boost::system::error_code error;
    parser.put(boost::asio::buffer(head), error);
    if (error || !parser.is_header_done()) return std::nullopt;
    const auto& parsed = parser.get();
    HttpRequest request;
    request.method = parsed.method_string();
    request.target = parsed.target();
    // They are kept as long as the connection: not one place too many.
    request.headers.reserve(static_cast<std::size_t>(std::distance(parsed.begin(), parsed.end())));
    for (const auto& field : parsed) {
        request.headers.emplace_back(field.name_string(), field.value());
    }
    return request;
}

}  // namespace oncewire::net
