#include "server/net/zip/content_coding.hpp"

#include <optional>

#include <zlib.h>

#include "server/net/gate/http_message.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::net {
namespace {

/// zlib's own: its header and checksum around the data, or with 16 more those of gzip.
constexpr int zlib_bits = 15;
constexpr int gzip_bits = zlib_bits + 16;

/// [RFC9110 12.4.2] In thousandths; what is no weight counts as none given.
int weight_of(std::string_view parameters) {
    const std::size_t at = parameters.find("q=");
    if (at == parameters.npos) return 1000;
    const std::string_view value = parameters.substr(at + 2);
    if (value.starts_with('1')) return 1000;
    if (!value.starts_with('0')) return 1000;
    int weight = 0;
    for (std::size_t i = 2; i < 5; ++i) {
        const bool is_digit = i < value.size() && value[i] >= '0' && value[i] <= '9';
        weight = weight * 10 + (is_digit ? value[i] - '0' : 0);
    }
    return weight;
}

std::optional<ContentCoding> coding_of(std::string_view name) {
    if (equal_ignoring_case(name, "gzip")) return ContentCoding::gzip;
    if (equal_ignoring_case(name, "deflate")) return ContentCoding::deflate;
    return std::nullopt;
}

}  // namespace

ContentCoding choose_coding(std::string_view accept_encoding) {
    ContentCoding best = ContentCoding::identity;
    int best_weight = 0;
    while (!accept_encoding.empty()) {
        std::string_view element = take_element(accept_encoding, ',');
        const auto coding = coding_of(take_element(element, ';'));
        const int weight = weight_of(element);
        if (!coding || weight <= best_weight) continue;
        best = *coding;
        best_weight = weight;
    }
    return best;
}

std::string_view coding_name(ContentCoding coding) {
    switch (coding) {
        case ContentCoding::identity:
            return "identity";
        case ContentCoding::gzip:
            return "gzip";
        case ContentCoding::deflate:
            return "deflate";
    }
    VERIFY(false);  // there is a case for each
}

std::string encode_content(ContentCoding coding, std::string_view bytes) {
    if (coding == ContentCoding::identity) return std::string(bytes);
    z_stream stream{};
    const int bits = coding == ContentCoding::gzip ? gzip_bits : zlib_bits;
    constexpr int memory_level = 8;  // zlib's default
    // Fails only without memory.
    VERIFY(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits, memory_level,
                        Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    // deflateBound() is enough for any bytes.
    VERIFY(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

}  // namespace oncewire::net
