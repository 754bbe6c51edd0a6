#include "server/chat/picture_kind.hpp"

#include <cstddef>

namespace oncewire::chat {
namespace {

/// Bytes with numbers in them; beyond the end everything is 0.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::uint32_t byte(std::size_t at) const {
        return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0;
    }
    std::uint32_t little(std::size_t at, std::size_t count) const {
        std::uint32_t value = 0;
        for (std::size_t i = count; i > 0; --i) value = (value << 8) | byte(at + i - 1);
        return value;
    }
    std::uint32_t big(std::size_t at, std::size_t count) const {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < count; ++i) value = (value << 8) | byte(at + i);
        return value;
    }
    bool has(std::size_t at, std::string_view text) const {
        return at <= bytes_.size() && bytes_.substr(at).starts_with(text);
    }
    std::size_t size() const { return bytes_.size(); }

  private:
    std::string_view bytes_;
};

PictureKind png(const Reader& in) {
    constexpr std::size_t width = 16, height = 20;
    return {"image/png", in.big(width, 4), in.big(height, 4)};
}

PictureKind gif(const Reader& in) { return {"image/gif", in.little(6, 2), in.little(8, 2)}; }

/// The first chunk has the size, in a form of its own for each of the three kinds.
PictureKind webp(const Reader& in) {
    constexpr std::uint32_t side = 0x3fff;  // 14 bits
    constexpr std::size_t chunk = 12, body = 20;
    const auto made = [](std::uint32_t w, std::uint32_t h) {
        return PictureKind{"image/webp", w, h};
    };
    if (in.has(chunk, "VP8 ") && in.has(body + 3, "\x9d\x01\x2a")) {
        return made(in.little(body + 6, 2) & side, in.little(body + 8, 2) & side);
    }
    if (in.has(chunk, "VP8L") && in.byte(body) == 0x2f) {
        const std::uint32_t bits = in.little(body + 1, 4);
        return made((bits & side) + 1, ((bits >> 14) & side) + 1);
    }
    if (in.has(chunk, "VP8X")) return made(in.little(body + 4, 3) + 1, in.little(body + 7, 3) + 1);
    return {};
}

bool starts_frame(std::uint32_t marker) {
    constexpr std::uint32_t first = 0xc0, last = 0xcf, tables = 0xc4, extension = 0xc8,
                            conditioning = 0xcc;
    return marker >= first && marker <= last && marker != tables && marker != extension &&
           marker != conditioning;
}

/// Segment by segment to the one that begins the frame.
PictureKind jpeg(const Reader& in) {
    constexpr std::uint32_t scan = 0xda, end = 0xd9;
    std::size_t at = 2;
    while (at + 3 < in.size() && in.byte(at) == 0xff) {
        const std::uint32_t marker = in.byte(at + 1);
        if (marker == 0xff) {  // filling
            ++at;
            continue;
        }
        if (starts_frame(marker)) return {"image/jpeg", in.big(at + 7, 2), in.big(at + 5, 2)};
        const std::uint32_t length = in.big(at + 2, 2);
        if (marker == scan || marker == end || length < 2) return {};
        at += 2 + length;
    }
    return {};
}

PictureKind look(const Reader& in) {
    if (in.has(0, "\x89PNG\r\n\x1a\n") && in.has(12, "IHDR")) return png(in);
    if (in.has(0, "GIF87a") || in.has(0, "GIF89a")) return gif(in);
    if (in.has(0, "RIFF") && in.has(8, "WEBP")) return webp(in);
    if (in.has(0, "\xff\xd8\xff")) return jpeg(in);
    return {};
}

}  // namespace

std::optional<PictureKind> kind_of_picture(std::string_view bytes) {
    const PictureKind kind = look(Reader(bytes));
    if (kind.width == 0 || kind.height == 0) return std::nullopt;
    return kind;
}

}  // namespace oncewire::chat
