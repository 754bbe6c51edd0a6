#include "server/net/gate/http_body.hpp"

#include <algorithm>
#include <charconv>

namespace oncewire::net {
namespace {

/// 16: hexadecimal digits of a size; more are leading zeros, or no size.
constexpr std::size_t size_digits_max = 16;

bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_text(std::string_view line) {
    return std::all_of(line.begin(), line.end(), [](char c) {
        return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f');
    });
}

}  // namespace

// ---- chunks -------------------------------------------------------------------------------------

Result<bool, HttpRefusal> ChunkedBody::take(std::string_view& received, std::string& content) {
    while (part_ != Part::done && !received.empty()) {
        if (const auto refusal = step(received, content)) return Err{*refusal};
    }
    return part_ == Part::done;
}

ChunkedBody::Refusal ChunkedBody::step(std::string_view& received, std::string& content) {
    return part_ == Part::content ? take_content(received, content) : take_line(received);
}

ChunkedBody::Refusal ChunkedBody::take_content(std::string_view& received, std::string& content) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(received.size(), chunk_left_));
    content.append(received.substr(0, size));
    received.remove_prefix(size);
    chunk_left_ -= size;
    if (chunk_left_ == 0) part_ = Part::content_end;
    return std::nullopt;
}

/// Reads it once its end is there. Until then it is as bounded as what it may say.
ChunkedBody::Refusal ChunkedBody::take_line(std::string_view& received) {
    const std::size_t end = std::min(received.find('\n'), received.size());
    line_ += received.substr(0, end);
    if (end == received.size()) {
        received = {};
        const bool is_too_long = line_.size() > size_digits_max + notes_left_ + 1;
        return is_too_long ? Refusal({431, "chunk notes too large"}) : std::nullopt;
    }
    received.remove_prefix(end + 1);
    if (!line_.ends_with('\r')) return HttpRefusal{400, "line end is not CRLF"};
    line_.pop_back();
    if (!is_text(line_)) return HttpRefusal{400, "control byte"};
    const auto refusal = read_line();
    line_.clear();
    return refusal;
}

ChunkedBody::Refusal ChunkedBody::read_line() {
    if (part_ == Part::size) return read_size();
    if (part_ == Part::trailer) return read_trailer();
    if (!line_.empty()) return HttpRefusal{400, "chunk longer than its size"};
    part_ = Part::size;
    return std::nullopt;
}

ChunkedBody::Refusal ChunkedBody::read_size() {
    const auto end = std::find_if_not(line_.begin(), line_.end(), is_hex_digit);
    const auto digits = static_cast<std::size_t>(end - line_.begin());
    const bool is_extended = digits < line_.size();
    if (digits == 0 || digits > size_digits_max || (is_extended && *end != ';')) {
        return HttpRefusal{400, "bad chunk size"};
    }
    std::from_chars(line_.data(), line_.data() + digits, chunk_left_, 16);
    if (chunk_left_ > content_left_) return HttpRefusal{413, "body too large"};
    content_left_ -= chunk_left_;
    part_ = chunk_left_ == 0 ? Part::trailer : Part::content;
    return charge(line_.size() - digits);
}

ChunkedBody::Refusal ChunkedBody::read_trailer() {
    if (line_.empty()) part_ = Part::done;
    return charge(line_.size());
}

ChunkedBody::Refusal ChunkedBody::charge(std::size_t bytes) {
    if (bytes > notes_left_) return HttpRefusal{431, "chunk notes too large"};
    notes_left_ -= bytes;
    return std::nullopt;
}

// ---- either form --------------------------------------------------------------------------------

HttpBody::HttpBody(const Framing& framing, std::uint64_t body_bytes_max)
    : left_(framing.content_length) {
    if (framing.is_chunked) chunks_.emplace(body_bytes_max);
}

Result<bool, HttpRefusal> HttpBody::take(std::string_view& received, std::string& content) {
    if (chunks_) {
        const auto is_complete = chunks_->take(received, content);
        if (is_complete && *is_complete) chunks_.reset();
        return is_complete;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(received.size(), left_));
    content.append(received.substr(0, size));
    received.remove_prefix(size);
    left_ -= size;
    return left_ == 0;
}

}  // namespace oncewire::net
