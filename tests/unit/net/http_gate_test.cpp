#include "server/net/gate/http_gate.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "tests/support/http_gate_cases.hpp"

namespace http_gate_test {

using namespace oncewire;
using gate::get;
using gate::post;

namespace {

/// 0: passes; else the status of the refusal. Byte by byte must say the same as whole.
unsigned judge(const std::string& bytes) {
    const auto whole = net::find_head(bytes, 0);
    unsigned verdict = 1;  // still incomplete
    if (!whole) {
        verdict = whole.error().status;
    } else if (*whole) {
        const auto framing = net::check_head(std::string_view(bytes).substr(0, **whole));
        verdict = framing ? 0 : framing.error().status;
    }
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
        const auto part = net::find_head(std::string_view(bytes).substr(0, size), size - 1);
        if (!part) {
            CHECK(part.error().status == whole.error().status);
            break;
        }
        if (*part) {
            CHECK(**part == **whole);
            break;
        }
    }
    return verdict;
}

}  // namespace

TEST_CASE("of the 31 ways to write a request only those that have one meaning pass the gate") {
    const auto cases = gate::cases();
    CHECK(cases.size() == 31);
    for (const gate::Case& each : cases) {
        CAPTURE(each.name);
        CHECK(judge(each.bytes) == each.status);
    }
}

TEST_CASE("the gate refuses what else is malformed") {
    const std::vector<gate::Case> cases = {
        {"NUL at once", std::string("\0", 1), 400},
        {"a TLS hello", "\x16\x03\x01", 400},
        {"NUL in a value", get(std::string("A: b\0c\r\n", 8)), 400},
        {"escape in a value", get("A: \x1b[0m\r\n"), 400},
        {"DEL in a value", get("A: \x7f\r\n"), 400},
        {"empty request line", "\r\n\r\n", 400},
        {"one word", "GET\r\n\r\n", 400},
        {"no version", "GET /\r\nHost: a\r\n\r\n", 400},
        {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"target beyond ASCII", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"bad method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\n", 400},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400},
        {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"no colon", get("nonsense\r\n"), 400},
        {"no name", get(": x\r\n"), 400},
        {"blank in a name", get("a b: x\r\n"), 400},
        {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        {"user in Host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        {"other expectations", post("Content-Length: 5\r\nExpect: 200-ok\r\n"), 417},
        {"chunked and a length of 0", post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
         400},
        {"chunked with a blank before it", post("Transfer-Encoding: x chunked\r\n"), 400},
        {"empty Transfer-Encoding", post("Transfer-Encoding:\r\n"), 400},
        {"identity", post("Transfer-Encoding: identity\r\n"), 400},
        {"two Hosts on HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"body too large", post("Content-Length: 1000001\r\n"), 413},
    };
    for (const gate::Case& each : cases) {
        CAPTURE(each.name);
        CHECK(judge(each.bytes) == each.status);
    }
}

TEST_CASE("the gate lets ordinary requests through") {
    for (const std::string& bytes : {
             get("User-Agent: caf\xe9\tx\r\nEmpty:\r\n"),
             get("Content-Length: 0\r\n"),
             post("content-LENGTH:  1000000 \r\n"),
             post(""),
             post("transfer-ENCODING: \tChunked \r\n"),
             post("Content-Length: 5\r\nExpect: 100-Continue\r\n"),
             std::string("PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
             std::string("DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
             std::string("GET / HTTP/1.0\r\n\r\n"),
             std::string(
                 "POST / HTTP/1.0\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n"),
             std::string("GET /%zz%ff?a=b&c HTTP/1.1\r\nhost: [::1]:3000\r\n\r\n"),
         }) {
        CAPTURE(bytes);
        CHECK(judge(bytes) == 0);
    }
}

TEST_CASE("the limits of the gate are exact") {
    std::string fields;
    for (std::size_t i = 1; i < net::header_count_max; ++i) fields += "a: b\r\n";
    CHECK(judge(get(fields)) == 0);
    CHECK(judge(get(fields + "a: b\r\n")) == 431);
    const std::size_t room = net::head_bytes_max - get("A: \r\n").size();
    CHECK(judge(get("A: " + std::string(room, 'x') + "\r\n")) == 0);
    CHECK(judge(get("A: " + std::string(room + 1, 'x') + "\r\n")) == 431);
}

TEST_CASE("the length of the body is told") {
    const std::string head = post("Content-Length: 17\r\n");
    CHECK(net::check_head(head)->content_length == 17);
    CHECK(net::check_head(get(""))->content_length == 0);
    CHECK_FALSE(net::check_head(head)->is_chunked);
    CHECK(net::check_head(post("Transfer-Encoding: chunked\r\n"))->is_chunked);
}

TEST_CASE("100 is waited for by those who have a body and speak HTTP/1.1") {
    const auto waits = [](const std::string& head) {
        return net::check_head(head)->expects_continue;
    };
    CHECK(waits(post("Expect: 100-continue\r\nContent-Length: 1\r\n")));
    CHECK(waits(post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n")));
    CHECK_FALSE(waits(post("Expect: 100-continue\r\nContent-Length: 0\r\n")));
    CHECK_FALSE(waits("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
}

TEST_CASE("a connection of HTTP/1.0 ends with its answer") {
    CHECK(net::check_head("GET / HTTP/1.0\r\n\r\n")->is_last);
    CHECK_FALSE(net::check_head(get(""))->is_last);
}

TEST_CASE("an unfinished head is neither refused nor taken") {
    const std::string head = get("");
    for (std::size_t size = 0; size < head.size(); ++size) {
        const auto found = net::find_head(std::string_view(head).substr(0, size), 0);
        CHECK((found && !*found));
    }
    CHECK(**net::find_head(head + "GET", 0) == head.size());
}

}  // namespace http_gate_test
