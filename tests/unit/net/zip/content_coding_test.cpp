// Compressed HTTP answers: which coding a client is given.
#include "server/net/zip/content_coding.hpp"

#include <catch2/catch.hpp>

namespace content_coding_test {

using namespace oncewire::net;

TEST_CASE("the heaviest coding is used, of equally heavy ones the first named") {
    CHECK(choose_coding("gzip") == ContentCoding::gzip);
    CHECK(choose_coding("GZIP;q=0.1") == ContentCoding::gzip);
    CHECK(choose_coding("deflate, gzip") == ContentCoding::deflate);
    CHECK(choose_coding("deflate;q=0.5, br, gzip;q=0.501") == ContentCoding::gzip);
    CHECK(choose_coding("gzip;q=0, deflate") == ContentCoding::deflate);
    for (const char* none :
         {"", "br", "identity", "*", "gzip;q=0", "gzip;q=0.000", ",;,", "gzipped"}) {
        CAPTURE(none);
        CHECK(choose_coding(none) == ContentCoding::identity);
    }
}

TEST_CASE("encoded content begins as its coding demands, and is smaller") {
    const std::string text(2000, 'x');
    const std::string gzip = encode_content(ContentCoding::gzip, text);
    CHECK(gzip.starts_with("\x1f\x8b"));
    CHECK(gzip.size() < 100);
    CHECK(encode_content(ContentCoding::deflate, text).starts_with("\x78"));
    CHECK(encode_content(ContentCoding::identity, text) == text);
}

}  // namespace content_coding_test
