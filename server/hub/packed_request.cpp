#include "server/hub/packed_request.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace oncewire::hub {
namespace {

using Length = std::uint32_t;

void append(std::string& bytes, std::string_view text) {
    const auto length = static_cast<Length>(text.size());
    bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
    bytes += text;
}

std::string take(std::string_view& rest) {
    Length length = 0;
    std::memcpy(&length, rest.data(), sizeof length);
    std::string text(rest.substr(sizeof length, length));
    rest.remove_prefix(sizeof length + length);
    return text;
}

}  // namespace

PackedRequest::PackedRequest(const Request& request) {
    std::vector<std::string_view> texts = {request.address, request.network, request.url};
    for (const auto& [name, value] : request.headers) {
        texts.push_back(name);
        texts.push_back(value);
    }
    std::size_t size = 2;
    for (const auto text : texts) size += sizeof(Length) + text.size();
    bytes_.reserve(size);
    bytes_ += static_cast<char>(request.transport);
    bytes_ += static_cast<char>(request.secure);
    for (const auto text : texts) append(bytes_, text);
}

Request PackedRequest::unpack() const {
    Request request;
    if (bytes_.empty()) return request;
    request.transport = static_cast<engineio::TransportKind>(bytes_[0]);
    request.secure = bytes_[1] != 0;
    std::string_view rest = std::string_view(bytes_).substr(2);
    request.address = take(rest);
    request.network = take(rest);
    request.url = take(rest);
    while (!rest.empty()) {
        auto name = take(rest);
        request.headers.emplace_back(std::move(name), take(rest));
    }
    return request;
}

}  // namespace oncewire::hub
