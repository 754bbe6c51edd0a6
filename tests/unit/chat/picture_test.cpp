// What a picture is by its own bytes.
#include <string>

#include <catch2/catch.hpp>

#include "server/chat/picture_kind.hpp"

namespace chat_picture_test {

using oncewire::chat::kind_of_picture;
using namespace std::string_literals;

namespace {

struct Example {
    std::string type;
    std::string bytes;
    std::uint32_t width, height;
};

/// The least of each kind that has a size.
const std::vector<Example>& examples() {
    static const std::vector<Example> all = {
        {"image/png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\2\0\0\0\3"s, 258, 3},
        {"image/gif", "GIF89a\5\0\6\1"s, 5, 262},
        {"image/gif", "GIF87a\1\0\1\0"s, 1, 1},
        {"image/webp", "RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x80\x42\x40\x01"s, 640, 320},
        {"image/webp", "RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x63\xc0\x0c\0"s, 100, 52},
        {"image/webp", "RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x3f\0\0\x1f\0\0"s, 64, 32},
        {"image/jpeg",
         "\xff\xd8\xff\xe0\0\4ab\xff\xff\xc4\0\3x\xff\xc2\0\x0b\x08\0\x20\0\x30\1\1\x11\0"s, 48,
         32},
    };
    return all;
}

}  // namespace

TEST_CASE("a picture's kind and size are read from its bytes") {
    for (const auto& example : examples()) {
        CAPTURE(example.type);
        const auto kind = kind_of_picture(example.bytes + "and more");
        REQUIRE(kind);
        CHECK(kind->type == example.type);
        CHECK(kind->width == example.width);
        CHECK(kind->height == example.height);
    }
}

TEST_CASE("what is cut, of another kind, or without a size is no picture") {
    for (const auto& example : examples()) {
        for (std::size_t size = 0; size < 16 && size < example.bytes.size(); ++size) {
            const auto kind = kind_of_picture(example.bytes.substr(0, size));
            CHECK((!kind || kind->type == example.type));
        }
        CHECK_FALSE(kind_of_picture(example.bytes.substr(0, 8)));
        CHECK_FALSE(kind_of_picture(" " + example.bytes));
    }
    for (const std::string& other :
         {"<svg xmlns='http://www.w3.org/2000/svg'>"s, "<html>"s, "BM"s, "%PDF-1.7"s, ""s,
          "GIF89a\0\0\5\0"s, "RIFF\0\0\0\0WEBPALPH"s, "RIFF\0\0\0\0WAVEfmt "s, "\xff\xd8\xff\xd9"s,
          "\xff\xd8\xff\xda\0\2\xff\xc0\0\x0b\x08\0\x20\0\x30"s,
          "\xff\xd8\xff\xe0\0\0\xff\xc0\0\x0b\x08\0\x20\0\x30"s}) {
        CAPTURE(other);
        CHECK_FALSE(kind_of_picture(other));
    }
}

}  // namespace chat_picture_test
