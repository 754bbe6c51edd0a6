#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/net/gate/http_message.hpp"

/// The files of the page and of the client library, compiled into the program.
///
/// The table is made at build time, so at run time no path ever reaches a file system: what is not in
/// it does not exist.
namespace oncewire::net {

/// One way to send a file. No bytes: not offered, because it would not be smaller.
struct StaticVariant {
    std::string_view bytes;
    std::string_view
        etag;  ///< strong, with its quotes; of these bytes, so different for each variant
};

struct StaticFile {
    std::string_view path;  ///< exactly as requested, without query: "/", "/style.css"
    std::string_view content_type;
    /// The name carries a hash of the content: may be kept for ever.
    bool immutable = false;
    StaticVariant identity;
    StaticVariant brotli;
    StaticVariant gzip;
};

/// What the build found, sorted by path. Defined in a generated file.
std::span<const StaticFile> static_files();

/// "/inline-N/chat.js" is "/chat.js" for the Nth chat of a page: a module runs once for each address, and
/// every chat has its own person, language and place. Other paths are themselves.
std::string_view without_instance(std::string_view path);

/// The answer to a request for one of `files`, sorted by path (for HEAD as for GET); none if `path` is not
/// among them. Pages of `origins` may show ours in a frame.
std::optional<HttpResponse> serve_static(const HttpRequest& request, std::string_view path,
                                         std::span<const StaticFile> files,
                                         std::span<const std::string> origins = {});

}  // namespace oncewire::net
