#include "server/api/values.hpp"

#include <charconv>

#include "server/api/json_reader.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/utf8.hpp"

namespace oncewire::api {
namespace {

std::string placeholder(std::size_t number) {
    return R"({"_placeholder":true,"num":)" + std::to_string(number) + "}";
}

/// Invalid UTF-8 is replaced: what goes out must be JSON.
std::string dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool has_bytes(const Json& value) {
    if (value.is_binary()) return true;
    if (!value.is_structured()) return false;
    for (const auto& element : value) {
        if (has_bytes(element)) return true;
    }
    return false;
}

/// Depth first, arrays and objects in their order [SIO5 Packet encoding].
void extract_bytes(Json& value, std::vector<std::string>& attachments) {
    if (value.is_binary()) {
        const auto& bytes = value.get_binary();
        Json number = {{"_placeholder", true}, {"num", attachments.size()}};
        attachments.emplace_back(bytes.begin(), bytes.end());
        value = std::move(number);
    } else if (value.is_structured()) {
        for (auto& element : value) extract_bytes(element, attachments);
    }
}

/// Which attachment this stands for, if it is a placeholder.
const std::string* attachment_of(const Json& value, const std::vector<std::string>& attachments) {
    if (!value.is_object()) return nullptr;
    const auto flag = value.find("_placeholder"), number = value.find("num");
    const bool is_placeholder = flag != value.end() && flag->is_boolean() && flag->get<bool>() &&
                                number != value.end() && number->is_number_unsigned();
    if (!is_placeholder) return nullptr;
    const auto index = number->get<std::uint64_t>();
    return index < attachments.size() ? &attachments[static_cast<std::size_t>(index)] : nullptr;
}

void insert_bytes(Json& value, const std::vector<std::string>& attachments) {
    if (const auto* bytes = attachment_of(value, attachments)) {
        value = Json::binary({bytes->begin(), bytes->end()});
    } else if (value.is_structured()) {
        for (auto& element : value) insert_bytes(element, attachments);
    }
}

template <class Integer>
void append_integer(std::string& out, Integer value) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace

void encode_value(Arguments& out, bool value) { out.data += value ? "true" : "false"; }

/// NaN and the infinities are null, as JSON.stringify has it.
void encode_value(Arguments& out, double value) { out.data += Json(value).dump(); }

void encode_value(Arguments& out, std::int64_t value) { append_integer(out.data, value); }

void encode_value(Arguments& out, std::uint64_t value) { append_integer(out.data, value); }

void encode_value(Arguments& out, std::string_view value) {
    if (utf8::is_valid(value)) {
        json::append_quoted(out.data, value);
    } else {
        out.data += dump(Json(std::string(value)));
    }
}

void encode_value(Arguments& out, const Binary& value) {
    out.data += placeholder(out.attachments.size());
    out.attachments.push_back(value.bytes);
}

void encode_value(Arguments& out, const JsonText& value) {
    // Within the arguments of an event, and an array around it.
    constexpr std::uint32_t depth = limits::json_depth - 2;
    if (!json::is_valid(value.text, depth)) return encode_value(out, std::string_view(value.text));
    out.data += value.text;
}

void encode_value(Arguments& out, const Json& value) {
    if (!has_bytes(value)) {
        out.data += dump(value);
        return;
    }
    Json copy = value;
    extract_bytes(copy, out.attachments);
    out.data += dump(copy);
}

void encode_value(Arguments& out, const Arguments& value) {
    if (out.attachments.empty() || value.attachments.empty()) {
        out.data += json::trim(value.data.substr(1, value.data.size() - 2));
        if (out.attachments.empty()) out.attachments = value.attachments;
        return;
    }
    // Both have attachments, so those of the second are numbered again.
    bool first = true;
    for (const auto text : value.texts()) {
        if (!std::exchange(first, false)) out.data += ',';
        encode_value(out, decode_json(text, value.attachments).value_or(nullptr));
    }
}

std::optional<Json> decode_json(std::string_view text,
                                const std::vector<std::string>& attachments) {
    if (text.empty()) return Json();
    JsonReader reader;
    if (!Json::sax_parse(text.begin(), text.end(), &reader)) return std::nullopt;
    Json value = reader.take();
    if (!attachments.empty()) insert_bytes(value, attachments);
    return value;
}

std::optional<Binary> decode_binary(std::string_view text,
                                    const std::vector<std::string>& attachments) {
    if (text.empty() || attachments.empty()) return std::nullopt;
    const auto flag = json::member(text, "_placeholder");
    const auto number = json::member(text, "num");
    const auto index = number ? json::as_integer(*number) : std::nullopt;
    if (!flag || *flag != "true" || !index || *index < 0) return std::nullopt;
    if (static_cast<std::uint64_t>(*index) >= attachments.size()) return std::nullopt;
    return Binary{attachments[static_cast<std::size_t>(*index)]};
}

}  // namespace oncewire::api
