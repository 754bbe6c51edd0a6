#include "server/net/gate/static_files.hpp"

#include <catch2/catch.hpp>

namespace static_files_test {

using namespace oncewire;
using net::find_header;
using net::HttpRequest;

namespace {

std::optional<net::HttpResponse> serve(const net::HttpRequest& request,
                                       std::span<const net::StaticFile> files,
                                       std::span<const std::string> origins = {}) {
    return net::serve_static(request, net::path_of(request.target), files, origins);
}

constexpr net::StaticFile files[] = {
    {"/",
     "text/html; charset=utf-8",
     false,
     {"<p>hello</p>", "\"h\""},
     {"B", "\"h-br\""},
     {"G", "\"h-gz\""}},
    {"/core-0123abcd.wasm", "application/wasm", true, {"wasm", "\"w\""}, {}, {}},
};

HttpRequest get(std::string target, net::HeaderList headers = {}) {
    return {"GET", std::move(target), std::move(headers), ""};
}
std::string coding_for(const std::string& accept) {
    const auto response = serve(get("/", {{"Accept-Encoding", accept}}), files);
    return std::string(find_header(response->headers, "Content-Encoding"));
}

}  // namespace

TEST_CASE("a known file is served with its type, tag and caching rule") {
    const auto page = serve(get("/?debug"), files);
    REQUIRE(page);
    CHECK(page->status == 200);
    CHECK(page->content() == "<p>hello</p>");
    CHECK(find_header(page->headers, "Content-Type") == "text/html; charset=utf-8");
    CHECK(find_header(page->headers, "ETag") == "\"h\"");
    CHECK(find_header(page->headers, "Cache-Control") == "no-cache");
    CHECK(find_header(page->headers, "X-Content-Type-Options") == "nosniff");
    CHECK(find_header(page->headers, "Vary") == "Accept-Encoding");
    const auto wasm = serve(get("/core-0123abcd.wasm"), files);
    REQUIRE(wasm);
    CHECK(find_header(wasm->headers, "Cache-Control") == "public, max-age=31536000, immutable");
    CHECK(find_header(wasm->headers, "Vary") == "");
}

TEST_CASE("only pages carry the content security policy, and it allows nothing inline") {
    const auto page = serve(get("/"), files);
    const auto policy = find_header(page->headers, "Content-Security-Policy");
    CHECK(policy.starts_with("default-src 'none'"));
    CHECK(policy.find("unsafe-inline") == policy.npos);
    CHECK(policy.find("'unsafe-eval'") == policy.npos);
    const auto wasm = serve(get("/core-0123abcd.wasm"), files);
    CHECK(find_header(wasm->headers, "Content-Security-Policy") == "");
}

TEST_CASE("only pages of allowed origins may show ours in a frame") {
    const auto policy_for = [](std::vector<std::string> origins) {
        const auto page = serve(get("/"), files, origins);
        return std::string(find_header(page->headers, "Content-Security-Policy"));
    };
    CHECK(policy_for({}).ends_with("; frame-ancestors 'self'"));
    CHECK(policy_for({"https://a.example", "https://b.example:8443"})
              .ends_with("; frame-ancestors 'self' https://a.example https://b.example:8443"));
}

TEST_CASE("the client's wish decides the encoding") {
    CHECK(coding_for("gzip, deflate, br") == "br");
    CHECK(coding_for("gzip") == "gzip");
    CHECK(coding_for("GZIP;q=0.5") == "gzip");
    CHECK(coding_for("br;q=0, gzip") == "gzip");
    CHECK(coding_for("br ; q=0.000, gzip;q=0") == "");
    CHECK(coding_for("*") == "br");
    CHECK(coding_for("br;q=0, *;q=0.1") == "gzip");
    CHECK(coding_for("*;q=0") == "");
    CHECK(coding_for("identity") == "");
    CHECK(coding_for("brotli, xgzip,,;;") == "");
    CHECK(coding_for("") == "");
}

TEST_CASE("what the client has already is not sent again") {
    const auto status = [](const std::string& tags, const std::string& encoding) {
        return serve(get("/", {{"If-None-Match", tags}, {"Accept-Encoding", encoding}}), files)
            ->status;
    };
    CHECK(status("\"h-br\"", "br") == 304);
    CHECK(status("W/\"h-br\"", "br") == 304);
    CHECK(status("\"other\", \"h-gz\"", "gzip") == 304);
    CHECK(status("*", "") == 304);
    CHECK(status("\"h\"", "br") == 200);
    CHECK(status("h-br", "br") == 200);
    const auto response = serve(get("/", {{"If-None-Match", "\"h\""}}), files);
    CHECK(response->content().empty());
    CHECK(find_header(response->headers, "ETag") == "\"h\"");
}

TEST_CASE("what is not in the table does not exist") {
    for (const char* target :
         {"/index.html", "//", "/.", "/..", "/../etc/passwd", "/%2e%2e/", "/./",
          "/core-0123abcd.wasm/", "/CORE-0123abcd.wasm", "/%00", "/a\\..\\"}) {
        CAPTURE(target);
        CHECK_FALSE(serve(get(target), files));
    }
}

TEST_CASE("static files can be read, not written") {
    HttpRequest request = get("/");
    request.method = "POST";
    const auto response = serve(request, files);
    CHECK(response->status == 405);
    CHECK(find_header(response->headers, "Allow") == "GET, HEAD");
    request.method = "HEAD";
    CHECK(serve(request, files)->status == 200);
}

TEST_CASE("every chat of a page finds its modules under an address of its own") {
    CHECK(net::without_instance("/inline-1/chat.js") == "/chat.js");
    CHECK(net::without_instance("/inline-9999/words/en.js") == "/words/en.js");
    for (const char* other : {"/", "/chat.js", "/inline.js", "/inline-", "/inline-/chat.js",
                              "/inline-1", "/inline-12345/chat.js", "/inline-1x/chat.js"}) {
        CHECK(net::without_instance(other) == other);
    }
    CHECK(net::without_instance("/inline-1/inline-1/chat.js") == "/inline-1/chat.js");
}

}  // namespace static_files_test
