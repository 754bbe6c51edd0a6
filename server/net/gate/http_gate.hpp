#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/base/limits.hpp"
#include "shared/base/result.hpp"

/// What a request must look like before any parser sees it.
///
/// Two servers in a row that disagree on where a request ends can be made to smuggle one past the
/// other, and Beast 1.81 accepts much that others read differently; one form even throws (trailer
/// fields after a chunked body: it never sees a body). So everything that can be read in two ways is
/// refused on the raw text, and the connection is closed after the answer. Rules, each stricter than or
/// equal to [RFC9112]: HTTP/1.1, or 1.0 without any of the following; origin-form target; CRLF line ends
/// and no other control bytes; no folded lines; exactly one Host (1.0: at most one); at most one
/// Content-Length, digits only; or else one Transfer-Encoding, which is chunked; Expect is 100-continue.
namespace oncewire::net {

/// 8 KiB: request line and header fields together. Browsers send below 2 KiB; nginx has 8 KiB.
inline constexpr std::size_t head_bytes_max = 8192;
/// 64: header fields. Browsers send about 20.
inline constexpr std::size_t header_count_max = 64;

/// Answer with this, then close.
struct HttpRefusal {
    unsigned status = 400;
    std::string_view reason;  ///< for people; static text
};

/// The length of the request head at the start of `received`, its empty line included; none while
/// incomplete. `scanned`: this many bytes were seen by an earlier call already.
Result<std::optional<std::size_t>, HttpRefusal> find_head(std::string_view received,
                                                          std::size_t scanned);

struct Framing {
    std::uint64_t content_length = 0;
    bool is_chunked = false;        ///< then the length is told in the body
    bool expects_continue = false;  ///< the body is sent when we answered 100 [RFC9110 10.1.1]
    /// From a peer that speaks HTTP/1.0: the connection ends with the answer, and cannot be upgraded.
    bool is_last = false;
};

/// `head`: what find_head() delimited. `body_bytes_max`: a larger body is refused unread.
Result<Framing, HttpRefusal> check_head(std::string_view head,
                                        std::uint64_t body_bytes_max = limits::message_bytes);

}  // namespace oncewire::net
