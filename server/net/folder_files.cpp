#include "server/net/folder_files.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "server/net/zip/content_coding.hpp"

namespace oncewire::net {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view index_name = "index.html";

struct Type {
    std::string_view ending;
    std::string_view content_type;
    bool shrinks;  ///< compressing it is worth while
};
constexpr std::array types = {
    Type{".css", "text/css; charset=utf-8", true},
    Type{".html", "text/html; charset=utf-8", true},
    Type{".ico", "image/x-icon", false},
    Type{".jpg", "image/jpeg", false},
    Type{".js", "text/javascript; charset=utf-8", true},
    Type{".json", "application/json; charset=utf-8", true},
    Type{".map", "application/json; charset=utf-8", true},
    Type{".mjs", "text/javascript; charset=utf-8", true},
    Type{".png", "image/png", false},
    Type{".svg", "image/svg+xml", true},
    Type{".txt", "text/plain; charset=utf-8", true},
    Type{".wasm", "application/wasm", true},
    Type{".webmanifest", "application/manifest+json; charset=utf-8", true},
    Type{".woff2", "font/woff2", false},
};
constexpr Type unknown_type{"", "application/octet-stream", false};

Type type_of(std::string_view name) {
    const auto found = std::find_if(types.begin(), types.end(),
                                    [&](const Type& type) { return name.ends_with(type.ending); });
    return found == types.end() ? unknown_type : *found;
}

/// [FNV-1a] Tells versions of one file apart; nobody gains by a collision.
std::string etag_of(std::string_view bytes, std::string_view coding) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : bytes) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    }
    return '"' + std::to_string(hash) + '-' + std::to_string(bytes.size()) + std::string(coding) +
           '"';
}

}  // namespace

Result<FolderFiles, std::string> FolderFiles::load(const std::vector<Folder>& folders) {
    FolderFiles all;
    for (const Folder& folder : folders) {
        if (!folder.url.starts_with('/') || !folder.url.ends_with('/')) {
            return Err{"the URL of a folder must begin and end with a slash: " + folder.url};
        }
        std::error_code error;
        fs::recursive_directory_iterator entry(folder.directory, error);
        for (; !error && entry != fs::end(entry); entry.increment(error)) {
            if (entry->path().filename().string().starts_with('.')) {
                entry.disable_recursion_pending();
            } else if (entry->is_regular_file(error)) {
                std::ifstream file(entry->path(), std::ios::binary);
                std::string bytes{std::istreambuf_iterator<char>(file), {}};
                if (!file) return Err{"cannot read " + entry->path().string()};
                const fs::path name = entry->path().lexically_relative(folder.directory);
                all.add(folder.url + name.generic_string(), std::move(bytes));
            }
        }
        if (error) return Err{"cannot read " + folder.directory + ": " + error.message()};
    }
    std::stable_sort(all.files_.begin(), all.files_.end(),
                     [](const auto& a, const auto& b) { return a.path < b.path; });
    return all;
}

void FolderFiles::add(std::string url, std::string bytes) {
    const Type type = type_of(url);
    StaticFile file;
    file.path = keep(std::move(url));
    file.content_type = type.content_type;
    file.identity.etag = keep(etag_of(bytes, ""));
    std::string packed = type.shrinks ? encode_content(ContentCoding::gzip, bytes) : "";
    if (!packed.empty() && packed.size() < bytes.size()) {
        file.gzip.etag = keep(etag_of(bytes, "-gzip"));
        file.gzip.bytes = keep(std::move(packed));
    }
    file.identity.bytes = keep(std::move(bytes));
    files_.push_back(file);
    if (!file.path.ends_with(index_name)) return;
    file.path.remove_suffix(index_name.size());
    if (file.path.ends_with('/')) files_.push_back(file);
}

}  // namespace oncewire::net
