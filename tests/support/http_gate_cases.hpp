#pragma once

#include <string>
#include <vector>

/// 31 ways to write a request. A study found Beast 1.81 to accept much of what others read differently,
/// and to throw on a trailer.
namespace gate {

inline std::string get(const std::string& fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
inline std::string post(const std::string& fields) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

struct Case {
    const char* name;
    std::string bytes;
    unsigned status;      ///< of the refusal; 0: the head passes
    unsigned answer = 0;  ///< then the status of the server's answer
};

inline std::vector<Case> cases() {
    std::string empty_headers = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 2000; ++i) empty_headers += "a:\r\n";
    return {
        {"plain GET", get("Accept: */*\r\n"), 0, 200},
        {"chunked", post("Transfer-Encoding: chunked\r\n") + "2\r\nok\r\n0\r\n\r\n", 0, 405},
        {"chunked with a trailer",
         post("Transfer-Encoding: chunked\r\nTrailer: x\r\n") + "0\r\nx: y\r\n\r\n", 0, 405},
        {"chunked with a 64 KB chunk extension",
         post("Transfer-Encoding: chunked\r\n") + "1;" + std::string(65536, 'x') + "\r\n", 0, 405},
        {"chunked with a bare LF in a quoted extension",
         post("Transfer-Encoding: chunked\r\n") + "1;a=\"\n\"\r\nx\r\n0\r\n\r\n", 0, 400},
        {"gzip alone", post("Transfer-Encoding: gzip\r\n"), 400},
        {"gzip and a length", post("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"), 400},
        {"chunked, then gzip", post("Transfer-Encoding: chunked, gzip\r\n"), 400},
        {"gzip, then chunked", post("Transfer-Encoding: gzip, chunked\r\n"), 501},
        {"chunked twice", post("Transfer-Encoding: chunked, chunked\r\n"), 400},
        {"chunked and a length", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"two Transfer-Encoding", post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
         400},
        {"blank before the colon", post("Transfer-Encoding : chunked\r\n"), 400},
        {"chunked on HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"lengths in a list", post("Content-Length: 5, 5\r\n"), 400},
        {"the same length twice", post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
        {"two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
        {"negative length", post("Content-Length: -5\r\n"), 400},
        {"length with a plus", post("Content-Length: +5\r\n"), 400},
        {"hexadecimal length", post("Content-Length: 0x5\r\n"), 400},
        {"empty length", post("Content-Length:\r\n"), 400},
        {"length beyond 64 bits", post("Content-Length: 18446744073709551621\r\n"), 400},
        {"folded header", get("A: b\r\n c\r\n"), 400},
        {"header folded with a tab", get("Transfer-Encoding:\r\n\tchunked\r\n"), 400},
        {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
        {"bare CR in a value", get("A: b\rc\r\n"), 400},
        {"no Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400},
        {"two Hosts", get("Host: b\r\n"), 400},
        {"2,000 empty headers in 8 KB", empty_headers + "\r\n", 431},
        {"head above 8 KB", get("A: " + std::string(9000, 'x') + "\r\n"), 431},
        {"body on GET", get("Content-Length: 5\r\n") + "hello", 0, 200},
    };
}

}  // namespace gate
