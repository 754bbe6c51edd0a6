#include "server/net/gate/http_gate.hpp"

#include <algorithm>
#include <charconv>

#include "server/net/gate/http_message.hpp"

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

/// `is_old`: whether it is of HTTP/1.0.
std::optional<HttpRefusal> check_request_line(std::string_view line, bool& is_old) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == line.npos || first == last) return HttpRefusal{400, "malformed request line"};
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(method)) return HttpRefusal{400, "malformed method"};
    if (!target.starts_with('/') || !std::all_of(target.begin(), target.end(), is_visible)) {
        return HttpRefusal{400, "malformed request target"};
    }
    is_old = version == "HTTP/1.0";
    if (is_old || version == "HTTP/1.1") return std::nullopt;
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
    std::string_view codings;
    std::string_view expectation;
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
        fields.codings = value;
    } else if (equal_ignoring_case(name, "Expect")) {
        fields.expectation = value;
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

/// [RFC9112 6.1, 6.3] A coding that is not the last one to be undone leaves open where the body ends.
std::optional<HttpRefusal> check_codings(std::string_view codings) {
    if (equal_ignoring_case(codings, "chunked")) return std::nullopt;
    const std::size_t comma = std::min(codings.rfind(','), codings.size());
    const std::string_view others = codings.substr(0, comma);
    const std::string_view last = trim_blanks(codings.substr(std::min(comma + 1, codings.size())));
    const bool is_readable = equal_ignoring_case(last, "chunked") && !has_token(others, "chunked");
    if (is_readable) return HttpRefusal{501, "only chunked bodies are understood"};
    return HttpRefusal{400, "bad Transfer-Encoding"};
}

std::optional<HttpRefusal> check_framing(const FramingFields& fields, bool is_old,
                                         std::uint64_t body_bytes_max) {
    if (fields.host == 0 && !is_old) return HttpRefusal{400, "bad Host"};
    if (fields.length > body_bytes_max) return HttpRefusal{413, "body too large"};
    if (!fields.expectation.empty() && !is_old &&
        !equal_ignoring_case(fields.expectation, "100-continue")) {
        return HttpRefusal{417, "only 100-continue may be expected"};
    }
    if (fields.transfer_encoding == 0) return std::nullopt;
    if (fields.content_length > 0) return HttpRefusal{400, "two message lengths"};
    if (fields.transfer_encoding > 1 || is_old) return HttpRefusal{400, "bad Transfer-Encoding"};
    return check_codings(fields.codings);
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
    bool is_old = false;
    if (const auto refusal = check_request_line(take_line(rest), is_old)) return Err{*refusal};
    FramingFields fields;
    for (std::size_t count = 0; !rest.empty(); ++count) {
        if (count == header_count_max) return Err{HttpRefusal{431, "too many headers"}};
        if (const auto refusal = check_field(take_line(rest), fields)) return Err{*refusal};
    }
    if (const auto refusal = check_framing(fields, is_old, body_bytes_max)) return Err{*refusal};
    const bool is_chunked = fields.transfer_encoding > 0;
    const bool has_body = is_chunked || fields.length > 0;
    return Framing{fields.length, is_chunked, has_body && !is_old && !fields.expectation.empty(),
                   is_old};
}

}  // namespace oncewire::net
