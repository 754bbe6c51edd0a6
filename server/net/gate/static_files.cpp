#include "server/net/gate/static_files.hpp"

#include <algorithm>

namespace oncewire::net {
namespace {

// Scripts and connections of our own origin only, nothing inline, nothing evaluated but WebAssembly.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "style-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "manifest-src 'self'; worker-src 'self'; frame-ancestors 'self'";

/// Whoever may connect may also show the page in a frame.
std::string policy_for(std::span<const std::string> origins) {
    std::string policy(content_security_policy);
    for (const auto& origin : origins) policy += ' ' + origin;
    return policy;
}

/// [RFC9110 12.4.2] Only "q=0", "q=0.0…" mean "not acceptable"; the order of the others is ours.
bool has_zero_weight(std::string_view parameters) {
    while (!parameters.empty()) {
        const std::string_view parameter = take_element(parameters, ';');
        if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
        return parameter.substr(2).find_first_not_of("0.") == parameter.npos;
    }
    return false;
}

bool accepts(std::string_view accept_encoding, std::string_view coding) {
    bool star = false;
    while (!accept_encoding.empty()) {
        std::string_view element = take_element(accept_encoding, ',');
        const std::string_view name = take_element(element, ';');
        if (equal_ignoring_case(name, coding)) return !has_zero_weight(element);
        if (name == "*") star = !has_zero_weight(element);
    }
    return star;
}

/// [RFC9110 13.1.2] Weak comparison.
bool matches(std::string_view if_none_match, std::string_view etag) {
    while (!if_none_match.empty()) {
        std::string_view element = take_element(if_none_match, ',');
        if (element.starts_with("W/")) element.remove_prefix(2);
        if (element == "*" || element == etag) return true;
    }
    return false;
}

struct Choice {
    const StaticVariant& variant;
    std::string_view coding;  // empty: identity
};

Choice choose(const StaticFile& file, std::string_view accept_encoding) {
    if (!file.brotli.bytes.empty() && accepts(accept_encoding, "br")) return {file.brotli, "br"};
    if (!file.gzip.bytes.empty() && accepts(accept_encoding, "gzip")) return {file.gzip, "gzip"};
    return {file.identity, ""};
}

HttpResponse describe(const StaticFile& file, const Choice& choice,
                      std::span<const std::string> origins) {
    HttpResponse response;
    auto& headers = response.headers;
    headers.emplace_back("Content-Type", file.content_type);
    headers.emplace_back("ETag", choice.variant.etag);
    headers.emplace_back("Cache-Control",
                         file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
    headers.emplace_back("X-Content-Type-Options", "nosniff");
    // Pages of other origins may load the client library and the loader of the embedded chat, isolated
    // ones, too. The files are the same for everybody.
    headers.emplace_back("Cross-Origin-Resource-Policy", "cross-origin");
    headers.emplace_back("Access-Control-Allow-Origin", "*");
    if (!file.brotli.bytes.empty() || !file.gzip.bytes.empty()) {
        headers.emplace_back("Vary", "Accept-Encoding");
    }
    if (!choice.coding.empty()) headers.emplace_back("Content-Encoding", choice.coding);
    if (file.content_type.starts_with("text/html")) {
        headers.emplace_back("Content-Security-Policy", policy_for(origins));
        headers.emplace_back("Cross-Origin-Embedder-Policy", "require-corp");
        headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
        headers.emplace_back("Referrer-Policy", "no-referrer");
    }
    return response;
}

}  // namespace

std::string_view without_instance(std::string_view path) {
    constexpr std::string_view prefix = "/inline-";
    constexpr std::size_t digits_max = 4;
    if (!path.starts_with(prefix)) return path;
    const std::string_view rest = path.substr(prefix.size());
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const bool is_instance = digits > 0 && digits <= digits_max && rest.substr(digits, 1) == "/";
    return is_instance ? rest.substr(digits) : path;
}

std::optional<HttpResponse> serve_static(const HttpRequest& request, std::string_view path,
                                         std::span<const StaticFile> files,
                                         std::span<const std::string> origins) {
    const auto file = std::lower_bound(
        files.begin(), files.end(), path,
        [](const StaticFile& each, std::string_view wanted) { return each.path < wanted; });
    if (file == files.end() || file->path != path) return std::nullopt;
    if (request.method != "GET" && request.method != "HEAD") {
        HttpResponse response = plain_text(405, "only GET and HEAD");
        response.headers.emplace_back("Allow", "GET, HEAD");
        return response;
    }
    const Choice choice = choose(*file, find_header(request.headers, "Accept-Encoding"));
    HttpResponse response = describe(*file, choice, origins);
    if (matches(find_header(request.headers, "If-None-Match"), choice.variant.etag)) {
        response.status = 304;
        std::erase_if(response.headers, [](const auto& header) {
            return header.first == "Content-Type" || header.first == "Content-Encoding";
        });
        return response;
    }
    response.static_body = choice.variant.bytes;
    return response;
}

}  // namespace oncewire::net
