#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/net/gate/http_gate.hpp"
#include "shared/base/result.hpp"

namespace oncewire::net {

/// [RFC9112 7.1] What a request carries in chunks, taken apart as it comes.
///
/// Stricter where two servers could read different bytes: CRLF line ends only, no blanks around a size,
/// no control bytes in extensions and trailers, and no more content than the limit. What extensions and
/// trailers say is dropped; both together have `notes_bytes_max`, since each byte of content may come
/// with a line of its own.
class ChunkedBody {
  public:
    explicit ChunkedBody(std::uint64_t body_bytes_max) : content_left_(body_bytes_max) {}

    /// Takes what belongs to the body off the front of `received`, and appends its content to `content`.
    /// True: it is complete; what `received` still holds is the next request.
    Result<bool, HttpRefusal> take(std::string_view& received, std::string& content);

    /// 8 KiB: as a head. No client of Socket.IO sends extensions or trailers at all.
    static constexpr std::size_t notes_bytes_max = 8192;

  private:
    enum class Part : std::uint8_t { size, content, content_end, trailer, done };
    using Refusal = std::optional<HttpRefusal>;

    Refusal step(std::string_view& received, std::string& content);
    Refusal take_content(std::string_view& received, std::string& content);
    Refusal take_line(std::string_view& received);
    Refusal read_line();
    Refusal read_size();
    Refusal read_trailer();
    Refusal charge(std::size_t bytes);

    Part part_ = Part::size;
    std::string line_;  // as far as it came
    std::uint64_t chunk_left_ = 0;
    std::uint64_t content_left_;
    std::size_t notes_left_ = notes_bytes_max;
};

/// What follows a head, however its end is told.
class HttpBody {
  public:
    /// Of a request without one.
    HttpBody() = default;
    HttpBody(const Framing& framing, std::uint64_t body_bytes_max);

    /// As ChunkedBody::take().
    Result<bool, HttpRefusal> take(std::string_view& received, std::string& content);
    bool is_complete() const { return left_ == 0 && !chunks_; }

  private:
    std::uint64_t left_ = 0;             // of a body whose length was told
    std::optional<ChunkedBody> chunks_;  // until the last one came
};

}  // namespace oncewire::net
