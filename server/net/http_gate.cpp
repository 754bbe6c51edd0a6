#include "server/net/http_gate.hpp"

#include <algorithm>
#include <charconv>

#include "server/net/http_message.hpp"

namespace oncewire::net {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

/// [RFC9110 5.6.2]
bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    const auto is_token_char = [&](char c) {
        return is_digit(c) || is_letter(c) || marks.find(c) != marks.npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

/// Takes one line off the front of `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find(line_end));
    rest.remove_prefix(line.size() + line_end.size());
    return line;
}

std::optional<HttpRefusal> check_request_line(std::string_view line, std::string_view& method) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == line.npos || first == last) return HttpRefusal{400, "malformed request line"};
    method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(method)) return HttpRefusal{400, "malformed method"};
    if (!target.starts_with('/') || !std::all_of(target.begin(), target.end(), is_visible)) {
        return HttpRefusal{400, "malformed request target"};
    }
    if (version == "HTTP/1.1") return std::nullopt;
    if (version == "HTTP/1.0") return HttpRefusal{505, "only HTTP/1.1 is spoken here"};
    return HttpRefusal{400, "malformed HTTP version"};
}

bool is_host(std::string_view value) {
    constexpr std::string_view marks = ".-_~:[]";
    const auto is_host_char = [&](char c) {
        return is_digit(c) || is_letter(c) || marks.find(c) != marks.npos;
    };
    return !value.empty() && std::all_of(value.begin(), value.end(), is_host_char);
}

/// The fields that decide where the request ends and whom it is for, counted while reading the head.
struct FramingFields {
    unsigned host = 0;
    unsigned content_length = 0;
    unsigned transfer_encoding = 0;
    std::uint64_t length = 0;
};

std::optional<HttpRefusal> note_field(FramingFields& fields, std::string_view name,
                                      std::string_view value) {
    if (equal_ignoring_case(name, "Host")) {
        if (++fields.host > 1 || !is_host(value)) return HttpRefusal{400, "bad Host"};
    } else if (equal_ignoring_case(name, "Content-Length")) {
        const bool is_number = !value.empty() && std::all_of(value.begin(), value.end(), is_digit);
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), fields.length);
        if (++fields.content_length > 1 || !is_number || error != std::errc()) {
            return HttpRefusal{400, "bad Content-Length"};
        }
    } else if (equal_ignoring_case(name, "Transfer-Encoding")) {
        ++fields.transfer_encoding;
    } else if (equal_ignoring_case(name, "Expect")) {
        return HttpRefusal{417, "Expect is not supported"};
    }
    return std::nullopt;
}

std::optional<HttpRefusal> check_field(std::string_view line, FramingFields& fields) {
    if (line.starts_with(' ') || line.starts_with('\t')) return HttpRefusal{400, "folded header"};
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon))) {
        return HttpRefusal{400, "malformed header"};
    }
    return note_field(fields, line.substr(0, colon), trim_blanks(line.substr(colon + 1)));
}

std::optional<HttpRefusal> check_framing(const FramingFields& fields, std::string_view method,
                                         std::uint64_t body_bytes_max) {
    if (fields.host != 1) return HttpRefusal{400, "bad Host"};
    if (fields.transfer_encoding > 0) {
        if (fields.content_length > 0) return HttpRefusal{400, "two message lengths"};
        return HttpRefusal{411, "send Content-Length"};
    }
    if (method == "POST") {
        if (fields.content_length == 0) return HttpRefusal{411, "send Content-Length"};
        if (fields.length > body_bytes_max) return HttpRefusal{413, "body too large"};
    } else if (fields.length > 0) {
        return HttpRefusal{400, "only POST may have a body"};
    }
    return std::nullopt;
}

}  // namespace

Result<std::optional<std::size_t>, HttpRefusal> find_head(std::string_view received,
                                                          std::size_t scanned) {
    const std::size_t end = std::min(received.size(), head_bytes_max);
    for (std::size_t i = scanned; i < end; ++i) {
        const char c = received[i];
        const bool after_cr = i > 0 && received[i - 1] == '\r';
        if ((c == '\n') != after_cr) return Err{HttpRefusal{400, "line end is not CRLF"}};
        if (c == '\n' && received.substr(0, i + 1).ends_with(head_end)) return std::optional(i + 1);
        const bool is_text = static_cast<unsigned char>(c) >= 0x20 && c != '\x7f';
        if (!is_text && c != '\r' && c != '\n' && c != '\t') {
            return Err{HttpRefusal{400, "control byte"}};
        }
    }
    if (received.size() >= head_bytes_max) return Err{HttpRefusal{431, "request head too large"}};
    return std::optional<std::size_t>();
}

Result<Framing, HttpRefusal> check_head(std::string_view head, std::uint64_t body_bytes_max) {
    std::string_view rest = head.substr(0, head.size() - line_end.size());
    std::string_view method;
    if (const auto refusal = check_request_line(take_line(rest), method)) return Err{*refusal};
    FramingFields fields;
    for (std::size_t count = 0; !rest.empty(); ++count) {
        if (count == header_count_max) return Err{HttpRefusal{431, "too many headers"}};
        if (const auto refusal = check_field(take_line(rest), fields)) return Err{*refusal};
    }
    if (const auto refusal = check_framing(fields, method, body_bytes_max)) return Err{*refusal};
    return Framing{fields.length};
}

}  // namespace oncewire::net
