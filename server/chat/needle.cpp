#include "server/chat/needle.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "shared/base/json.hpp"

namespace oncewire::chat {
namespace {

std::string folded(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

}  // namespace

Needle::Needle(std::string_view text) : folded_(folded(std::string(text))) {}

/// memmem() because it stays linear whatever it is given.
bool Needle::is_in_text(std::string text) const {
    text = folded(std::move(text));
    return memmem(text.data(), text.size(), folded_.data(), folded_.size()) != nullptr;
}

/// Where nothing is escaped the text stands in the event as it is, so what does not occur there is not in
/// the text, either. Only then is it cut out.
bool Needle::is_in(std::string_view event) const {
    const bool has_escapes = event.find('\\') != event.npos;
    if (!has_escapes && !is_in_text(std::string(event))) return false;
    const auto text = text_of_event(event);
    return text && is_in_text(*text);
}

std::optional<std::string> text_of_event(std::string_view event) {
    const auto elements = json::elements(event);
    if (elements.size() < 2) return std::nullopt;
    if (json::is_text(elements[0], "chat message")) return json::as_string(elements[1]);
    const bool has_text = json::is_text(elements[0], "post") || json::is_text(elements[0], "edit");
    const auto text = has_text ? json::member(elements[1], "text") : std::nullopt;
    return text ? json::as_string(*text) : std::nullopt;
}

}  // namespace oncewire::chat
