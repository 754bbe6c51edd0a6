#include "server/net/gate/http_message.hpp"

#include <algorithm>

namespace oncewire::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// [RFC9110 15] of those we answer with.
std::string_view reason_phrase(unsigned status) {
    switch (status) {
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 204:
            return "No Content";
        case 307:
            return "Temporary Redirect";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 417:
            return "Expectation Failed";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
    }
    return "Unknown";
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view take_element(std::string_view& list, char separator) {
    const std::string_view element = list.substr(0, list.find(separator));
    list.remove_prefix(std::min(element.size() + 1, list.size()));
    return trim_blanks(element);
}

std::string_view find_header(const HeaderList& headers, std::string_view name) {
    for (const auto& [key, value] : headers) {
        if (equal_ignoring_case(key, name)) return value;
    }
    return {};
}

bool has_token(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        if (equal_ignoring_case(take_element(list, ','), token)) return true;
    }
    return false;
}

bool is_header(std::string_view name, std::string_view value) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    const auto is_name_char = [&](char c) {
        const bool is_letter = lower(c) >= 'a' && lower(c) <= 'z';
        return is_letter || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
    };
    const auto is_value_char = [](char c) {
        return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f');
    };
    return !name.empty() && std::all_of(name.begin(), name.end(), is_name_char) &&
           std::all_of(value.begin(), value.end(), is_value_char);
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::string_view query_of(std::string_view target) {
    const std::size_t mark = target.find('?');
    return mark == target.npos ? std::string_view() : target.substr(mark + 1);
}

HttpResponse plain_text(unsigned status, std::string_view text) {
    HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                        {"X-Content-Type-Options", "nosniff"}};
    response.body = std::string(text) + '\n';
    return response;
}

std::string format_head(const HttpResponse& response, bool keep_alive, std::string_view date) {
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    out += reason_phrase(response.status);
    out += "\r\nDate: ";
    out += date;
    out += "\r\n";
    for (const auto& [name, value] : response.headers) out += name + ": " + value + "\r\n";
    // [RFC9110 8.6] 101 and 304 have no content whatever their length says.
    if (response.status != 101 && response.status != 304) {
        out += "Content-Length: " + std::to_string(response.content().size()) + "\r\n";
    }
    if (response.status != 101) {
        out += keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
    }
    return out += "\r\n";
}

}  // namespace oncewire::net
