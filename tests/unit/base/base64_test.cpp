#include <catch2/catch.hpp>

#include "shared/base/base64.hpp"
#include "shared/base/prng.hpp"
#include "tests/unit/support/vectors.hpp"

namespace base_base64_test {

using namespace oncewire;

TEST_CASE("base64 is written in both alphabets and read back from either") {
    for (const auto& vector : vectors::load("base64.json", "spellings")) {
        const std::string bytes = vectors::bytes_of(vector["bytes"]);
        const std::string standard = vector["standard"];
        const std::string url = vector["url"];
        CHECK(base64::encode(bytes) == standard);
        CHECK(base64::encode_url(bytes) == url);
        CHECK(base64::decode(standard) == bytes);
        CHECK(base64::decode(url) == bytes);
    }
}

TEST_CASE("base64 may omit padding in one alphabet and carry it in the other") {
    for (const auto& vector : vectors::load("base64.json", "decodable"))
        CHECK(base64::decode(vector["text"].get<std::string>()) ==
              vectors::bytes_of(vector["bytes"]));
}

TEST_CASE("text that is not quite base64 is refused") {
    for (const auto& vector : vectors::load("base64.json", "invalid")) {
        const std::string text = vectors::bytes_of(vector);
        CAPTURE(text);
        CHECK_FALSE(base64::decode(text).has_value());
    }
}

TEST_CASE("base64 in lines is read where lines are allowed") {
    CHECK(base64::decode_wrapped("Zm9v\nYg==\r\n") == "foob");
    CHECK(base64::decode_wrapped(" Zm\t9v ") == "foo");
    CHECK(base64::decode_wrapped("Zm9v") == "foo");
    CHECK(base64::decode_wrapped("\n") == "");
    for (const char* text : {"Zm9v\v", "Zm9v\n#", "Zg=\n", "Z\n"}) {
        CHECK_FALSE(base64::decode_wrapped(text).has_value());
    }
}

TEST_CASE("bytes of any length survive base64") {
    Prng prng(1);
    std::string bytes;
    for (int length = 0; length < 300; ++length) {
        CHECK(base64::decode(base64::encode(bytes)) == bytes);
        CHECK(base64::decode(base64::encode_url(bytes)) == bytes);
        bytes += static_cast<char>(prng.below(256));
    }
}

}  // namespace base_base64_test
