#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/net/gate/client.hpp"

namespace oncewire::net {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// One request that passed the gate.
struct HttpRequest {
    std::string method;
    std::string target;
    HeaderList headers;
    std::string body;
    Client client = {};  ///< who sent it
};

/// The value of a header, by name without regard to case; of several the first; empty if absent.
std::string_view find_header(const HeaderList& headers, std::string_view name);
bool equal_ignoring_case(std::string_view a, std::string_view b);
/// Whether a comma-separated header value has this token. [RFC9110 5.6.1]
bool has_token(std::string_view list, std::string_view token);

/// Without the spaces and tabs around it. [RFC9110 5.6.3]
std::string_view trim_blanks(std::string_view text);
/// Takes the next element off a list like "a, b;q=0.5"; empty elements are possible. [RFC9110 5.6.1]
std::string_view take_element(std::string_view& list, char separator);

/// Whether this may be sent as a header: [RFC9110 5.1, 5.5], control bytes above all.
bool is_header(std::string_view name, std::string_view value);

/// `target` up to its query, and the query without its question mark.
std::string_view path_of(std::string_view target);
std::string_view query_of(std::string_view target);

/// One answer. The body is either owned or refers to the table of static files.
struct HttpResponse {
    unsigned status = 200;
    HeaderList headers;
    std::string body;
    std::string_view static_body;

    std::string_view content() const { return static_body.empty() ? body : static_body; }
};

HttpResponse plain_text(unsigned status, std::string_view text);

/// Status line and headers, with Date, Content-Length, Connection and the empty line. The body is not in
/// it: the caller sends it after, unless the request was HEAD.
std::string format_head(const HttpResponse& response, bool keep_alive, std::string_view date);

}  // namespace oncewire::net
