#include "server/store/whereabouts.hpp"

#include <charconv>
#include <string>

namespace oncewire::store {

std::optional<MessageKey> parse_message_key(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos || !delivery::is_producer_token(text.substr(0, colon)))
        return std::nullopt;
    MessageKey key{ProducerId(std::string(text.substr(0, colon)))};
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, key.sequence);
    if (read.ec != std::errc() || read.ptr != end || key.sequence == 0) return std::nullopt;
    return key;
}

}  // namespace oncewire::store
