// Any bytes as a body in chunks: it is the same whether it comes whole or one by one, and the content is
// what a reader finds that looks at all of it at once.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/net/gate/http_body.hpp"
#include "shared/base/verify.hpp"

using namespace oncewire;

namespace {

constexpr std::uint64_t body_bytes_max = 1024;

struct Outcome {
    unsigned status = 0;  // of the refusal
    bool is_complete = false;
    std::string content;
    std::size_t used = 0;
};

Outcome read(std::string_view bytes, std::size_t piece_bytes) {
    net::ChunkedBody body(body_bytes_max);
    Outcome outcome;
    while (!outcome.is_complete && outcome.used < bytes.size()) {
        std::string_view piece = bytes.substr(outcome.used, piece_bytes);
        const std::size_t size = piece.size();
        const auto is_complete = body.take(piece, outcome.content);
        if (!is_complete) return {is_complete.error().status, false, "", 0};
        outcome.is_complete = *is_complete;
        outcome.used += size - piece.size();
        VERIFY(outcome.is_complete || piece.empty());
        VERIFY(outcome.content.size() <= body_bytes_max);
    }
    return outcome;
}

/// The next line, without its end; `at` moves behind it.
std::string_view line_at(std::string_view bytes, std::size_t& at) {
    const std::size_t end = bytes.find("\r\n", at);
    VERIFY(end != bytes.npos);
    const std::string_view line = bytes.substr(at, end - at);
    at = end + 2;
    return line;
}

/// Of a body that is complete.
void check_against_plain_reader(std::string_view bytes, const Outcome& outcome) {
    std::string content;
    std::size_t at = 0;
    for (;;) {
        const std::size_t size = std::stoull(std::string(line_at(bytes, at)), nullptr, 16);
        if (size == 0) break;
        content += bytes.substr(at, size);
        at += size;
        VERIFY(line_at(bytes, at).empty());
    }
    while (!line_at(bytes, at).empty()) {
    }
    VERIFY(content == outcome.content && at == outcome.used);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Outcome whole = read(bytes, bytes.size());
    const Outcome parts = read(bytes, 1);
    VERIFY(whole.status == parts.status && whole.is_complete == parts.is_complete);
    VERIFY(whole.content == parts.content && whole.used == parts.used);
    if (whole.is_complete) check_against_plain_reader(bytes, whole);
    return 0;
}
