// Any bytes on a fresh connection: the gate says the same whether they come whole or one by one, and a
// head it lets pass can be read in one way only.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/net/gate/http_gate.hpp"
#include "shared/base/verify.hpp"

using namespace oncewire;

namespace {

using Found = Result<std::optional<std::size_t>, net::HttpRefusal>;

Found feed_byte_by_byte(std::string_view bytes) {
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        Found found = net::find_head(bytes.substr(0, size), size - 1);
        if (!found || *found) return found;
    }
    return net::find_head(bytes, bytes.empty() ? 0 : bytes.size() - 1);
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return result;
}

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t times = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++times;
    return times;
}

/// What two parsers could disagree on must not be in it.
void check_unambiguous(std::string_view head, const net::Framing& framing) {
    VERIFY(head.size() <= net::head_bytes_max && head.ends_with("\r\n\r\n"));
    for (std::size_t i = 0; i < head.size(); ++i) {
        const auto c = static_cast<std::uint8_t>(head[i]);
        const bool is_line_end =
            (c == '\r' && head[i + 1] == '\n') || (c == '\n' && i > 0 && head[i - 1] == '\r');
        VERIFY(is_line_end || c == '\t' || (c >= 0x20 && c != 0x7f));
    }
    const std::string text = lower(head);
    const std::size_t lengths = count(text, "\r\ncontent-length:");
    const std::size_t codings = count(text, "\r\ntransfer-encoding:");
    const std::size_t hosts = count(text, "\r\nhost:");
    VERIFY(lengths + codings <= 1 && codings == (framing.is_chunked ? 1 : 0));
    VERIFY(lengths == 1 || framing.content_length == 0);
    VERIFY(count(text, "\r\n ") == 0 && count(text, "\r\n\t") == 0);
    VERIFY(hosts == 1 || (framing.is_last && hosts == 0));
    VERIFY(!framing.is_last || (!framing.is_chunked && !framing.expects_continue));
    const std::string_view version = framing.is_last ? " http/1.0" : " http/1.1";
    VERIFY(text.substr(0, text.find("\r\n")).ends_with(version));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Found whole = net::find_head(bytes, 0);
    const Found parts = feed_byte_by_byte(bytes);
    VERIFY(static_cast<bool>(whole) == static_cast<bool>(parts));
    if (!whole || !*whole) return 0;
    VERIFY(**whole == **parts);
    const std::string_view head = bytes.substr(0, **whole);
    const auto framing = net::check_head(head);
    if (!framing) return 0;
    check_unambiguous(head, *framing);
    return 0;
}
