#include "server/net/zip/message_deflate.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <zlib.h>

#include "server/net/gate/http_message.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::net {
namespace {

/// Without zlib's header and checksum; the largest window.
constexpr int raw_bits = -15;
/// [RFC7692 7.2.1] What ends a flushed block, and is not sent.
constexpr std::string_view flush_end("\x00\x00\xff\xff", 4);
/// 64 KiB: what an empty buffer may keep of a large message.
constexpr std::size_t idle_buffer_bytes = 64u << 10;
constexpr std::size_t piece_bytes = 16u << 10;

Bytef* bytes_of(std::string_view text) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

void start_over(std::string& buffer) {
    buffer.clear();
    if (buffer.capacity() > idle_buffer_bytes) std::string().swap(buffer);
}

/// [RFC7692 7.1.2.1] 8 to 15, in quotes or not; -1 if it is none.
int window_bits(std::string_view value) {
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
    }
    if (value.size() == 1 && (value[0] == '8' || value[0] == '9')) return value[0] - '0';
    const bool is_larger =
        value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5';
    return is_larger ? 10 + value[1] - '0' : -1;
}

/// The parameters of one offer, each seen at most once.
struct Offer {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    bool server_max_window_bits = false;
    bool client_max_window_bits = false;
};

/// False: unknown, repeated, or with a value it may not have.
bool take_parameter(Offer& offer, std::string_view parameter) {
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view name = parameter.substr(0, equals);
    const bool has_value = equals < parameter.size();
    const std::string_view value = has_value ? parameter.substr(equals + 1) : "";
    const auto once = [](bool& seen) { return !std::exchange(seen, true); };
    if (name == "server_no_context_takeover") {
        return !has_value && once(offer.server_no_context_takeover);
    }
    if (name == "client_no_context_takeover") {
        return !has_value && once(offer.client_no_context_takeover);
    }
    if (name == "client_max_window_bits") {
        return (!has_value || window_bits(value) > 0) && once(offer.client_max_window_bits);
    }
    // A smaller window of ours would make a broadcast's bytes depend on the receiver.
    constexpr int largest = 15;
    return name == "server_max_window_bits" && window_bits(value) == largest &&
           once(offer.server_max_window_bits);
}

bool is_acceptable(std::string_view element) {
    if (!equal_ignoring_case(take_element(element, ';'), "permessage-deflate")) return false;
    Offer offer;
    while (!element.empty()) {
        if (!take_parameter(offer, take_element(element, ';'))) return false;
    }
    return true;
}

}  // namespace

bool offers_deflate(std::string_view extensions) {
    while (!extensions.empty()) {
        if (is_acceptable(take_element(extensions, ','))) return true;
    }
    return false;
}

// ---- out ----------------------------------------------------------------------------------------

struct MessageDeflater::Stream : z_stream {
    Stream() : z_stream{} {
        constexpr int memory_level = 8;  // zlib's default
        // Fails only without memory.
        VERIFY(deflateInit2(this, Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw_bits, memory_level,
                            Z_DEFAULT_STRATEGY) == Z_OK);
    }
    ~Stream() { deflateEnd(this); }
};

MessageDeflater::MessageDeflater() : stream_(std::make_unique<Stream>()) {}
MessageDeflater::~MessageDeflater() = default;

std::string_view MessageDeflater::deflate(std::string_view message) {
    start_over(out_);
    deflateReset(stream_.get());
    out_.resize(deflateBound(stream_.get(), message.size()) + flush_end.size());
    stream_->next_in = bytes_of(message);
    stream_->avail_in = static_cast<uInt>(message.size());
    stream_->next_out = bytes_of(out_);
    stream_->avail_out = static_cast<uInt>(out_.size());
    // deflateBound() is enough for any bytes, and the flush takes five more at most.
    VERIFY(::deflate(stream_.get(), Z_SYNC_FLUSH) == Z_OK && stream_->avail_out > 0);
    out_.resize(stream_->total_out);
    // Z_SYNC_FLUSH ends so, whatever the bytes.
    VERIFY(out_.ends_with(flush_end));
    out_.resize(out_.size() - flush_end.size());
    return out_;
}

// ---- in -----------------------------------------------------------------------------------------

struct MessageInflater::Stream : z_stream {
    // Fails only without memory.
    Stream() : z_stream{} { VERIFY(inflateInit2(this, raw_bits) == Z_OK); }
    ~Stream() { inflateEnd(this); }
};

MessageInflater::MessageInflater(std::uint32_t message_bytes_max)
    : stream_(std::make_unique<Stream>()), bytes_max_(message_bytes_max) {}
MessageInflater::~MessageInflater() = default;

Result<std::string_view, CloseCode> MessageInflater::inflate(std::string_view payload) {
    start_over(out_);
    inflateReset(stream_.get());
    const std::size_t by_ratio = std::max(free_bytes, payload.size() * ratio_max);
    const std::size_t most = std::min(bytes_max_, by_ratio);
    for (const std::string_view part : {payload, flush_end}) {
        stream_->next_in = bytes_of(part);
        stream_->avail_in = static_cast<uInt>(part.size());
        do {
            std::array<char, piece_bytes> piece;
            stream_->next_out = reinterpret_cast<Bytef*>(piece.data());
            stream_->avail_out = static_cast<uInt>(piece.size());
            const int outcome = ::inflate(stream_.get(), Z_SYNC_FLUSH);
            // A final block is allowed; what follows it is not looked at. [RFC7692 7.2.3.4]
            const bool is_over = outcome == Z_STREAM_END;
            if (!is_over && outcome != Z_OK && outcome != Z_BUF_ERROR) {
                return Err{CloseCode::bad_text};
            }
            out_.append(piece.data(), piece.size() - stream_->avail_out);
            if (out_.size() > most) return Err{CloseCode::message_too_big};
            if (is_over) return std::string_view(out_);
        } while (stream_->avail_in > 0 || stream_->avail_out == 0);
    }
    constexpr int between_blocks = 128;
    if ((stream_->data_type & between_blocks) == 0) return Err{CloseCode::bad_text};
    return std::string_view(out_);
}

}  // namespace oncewire::net
