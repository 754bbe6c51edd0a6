// The PROXY protocol: every vector at once, cut at every byte, and with something behind it.
#include "server/net/gate/proxy_protocol.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>

namespace proxy_protocol_test {

using namespace oncewire;
using nlohmann::json;

namespace {

std::string bytes_of(const json& hex_or_text) {
    if (hex_or_text.is_string()) return hex_or_text;
    const std::string hex = hex_or_text.at("hex");
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
}

json vectors() {
    std::ifstream file(ONCEWIRE_SOURCE_DIR "/tests/vectors/proxy_headers.json");
    return json::parse(file);
}

}  // namespace

TEST_CASE("PROXY headers say who the client is", "[proxy_protocol]") {
    const json all = vectors();
    for (const auto& each : all.at("headers")) {
        CAPTURE(each.dump());
        const std::string header = bytes_of(each.at("bytes"));
        for (const std::string behind : {"", "G", "GET / HTTP/1.1\r\n\r\n", "PROXY ", "\r\n\r\n"}) {
            const auto read = net::read_proxy_header(header + behind);
            REQUIRE(read);
            REQUIRE(*read);
            CHECK((*read)->size == header.size());
            const auto& client = (*read)->client;
            CHECK((client ? client->text() : "") == each.value("client", ""));
            CHECK((*read)->secure == each.value("secure", false));
        }
        for (std::size_t size = 0; size < header.size(); ++size) {
            const auto read = net::read_proxy_header(header.substr(0, size));
            REQUIRE(read);
            CHECK_FALSE(*read);
        }
    }
}

TEST_CASE("malformed PROXY headers are refused, whatever follows", "[proxy_protocol]") {
    const json all = vectors();
    for (const auto& each : all.at("malformed")) {
        CAPTURE(each.dump());
        CHECK_FALSE(net::read_proxy_header(bytes_of(each)));
        CHECK_FALSE(net::read_proxy_header(bytes_of(each) + std::string(5000, 'x')));
    }
}

TEST_CASE("requests are no PROXY header", "[proxy_protocol]") {
    for (const auto* request : {"GET / HTTP/1.1\r\n", "POST /", "PUT", "PATCH", "PROXYED ",
                                "\r\nGET", "\n", "\r\n\r\nGET"}) {
        CAPTURE(request);
        const auto read = net::read_proxy_header(request);
        REQUIRE(read);
        REQUIRE(*read);
        CHECK((*read)->size == 0);
    }
}

TEST_CASE("no PROXY header grows without end", "[proxy_protocol]") {
    CHECK_FALSE(
        net::read_proxy_header("PROXY UNKNOWN " + std::string(net::proxy_line_bytes_max, 'x')));
    CHECK(net::read_proxy_header("PROXY UNKNOWN " + std::string(80, 'x')));
}

}  // namespace proxy_protocol_test
