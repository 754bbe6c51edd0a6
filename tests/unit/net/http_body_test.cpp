#include "server/net/gate/http_body.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "tests/unit/support/vectors.hpp"

namespace http_body_test {

using namespace oncewire;
using net::ChunkedBody;
using net::HttpBody;

namespace {

constexpr std::uint64_t body_bytes_max = 1000;

struct Read {
    unsigned status = 0;  ///< of the refusal
    bool is_complete = false;
    std::string content;
    std::string rest;
    bool operator==(const Read&) const = default;
};

/// In pieces of this many bytes.
Read read(const std::string& wire, std::size_t piece_bytes) {
    ChunkedBody body(body_bytes_max);
    Read result;
    for (std::size_t at = 0; at < wire.size(); at += piece_bytes) {
        const std::string piece = wire.substr(at, piece_bytes);
        std::string_view received = piece;
        const auto is_complete = body.take(received, result.content);
        if (!is_complete) return {is_complete.error().status, false, "", ""};
        if (!*is_complete) CHECK(received.empty());
        result.is_complete = *is_complete;
        if (result.is_complete) {
            result.rest =
                std::string(received) + wire.substr(std::min(wire.size(), at + piece_bytes));
            return result;
        }
    }
    return result;
}

}  // namespace

TEST_CASE("bodies in chunks are read as the vectors say, wherever they are cut") {
    for (const auto& vector : vectors::load("http_chunks.json", "bodies")) {
        const std::string wire = vectors::bytes_of(vector["wire"]);
        CAPTURE(vectors::excerpt(wire));
        const std::string rest = vector.contains("rest") ? vectors::bytes_of(vector["rest"]) : "";
        const Read expected{0, true, vectors::bytes_of(vector["content"]), rest};
        for (const std::size_t piece :
             {wire.size(), std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
            CHECK(read(wire, piece) == expected);
        }
        const std::size_t size = wire.size() - rest.size();
        if (size < 100) {
            for (std::size_t cut = 0; cut < size; ++cut) {
                const Read part = read(wire.substr(0, cut), wire.size());
                CHECK((part.status == 0 && !part.is_complete));
            }
        }
    }
}

TEST_CASE("bodies in chunks that another server might read differently are refused") {
    for (const auto& vector : vectors::load("http_chunks.json", "invalid")) {
        const std::string wire = vectors::bytes_of(vector["wire"]);
        CAPTURE(vectors::excerpt(wire));
        for (const std::size_t piece : {wire.size(), std::size_t{1}, std::size_t{4096}}) {
            CHECK(read(wire, piece).status == vector["status"].get<unsigned>());
        }
    }
}

TEST_CASE("a body whose length was told ends there, and none is complete at once") {
    CHECK(HttpBody().is_complete());
    CHECK(HttpBody({}, body_bytes_max).is_complete());
    HttpBody body({.content_length = 5}, body_bytes_max);
    std::string content;
    std::string_view received = "hel";
    CHECK_FALSE(*body.take(received, content));
    CHECK_FALSE(body.is_complete());
    received = "loGET";
    CHECK(*body.take(received, content));
    CHECK(body.is_complete());
    CHECK(content == "hello");
    CHECK(received == "GET");
}

TEST_CASE("a body in chunks is incomplete until the last one, even while nothing has come") {
    HttpBody body({.is_chunked = true}, body_bytes_max);
    CHECK_FALSE(body.is_complete());
    std::string content;
    std::string_view received = "2\r\n40\r\n0\r\n";
    CHECK_FALSE(*body.take(received, content));
    CHECK_FALSE(body.is_complete());
    received = "\r\nGET";
    CHECK(*body.take(received, content));
    CHECK(body.is_complete());
    CHECK(content == "40");
    CHECK(received == "GET");
}

}  // namespace http_body_test
