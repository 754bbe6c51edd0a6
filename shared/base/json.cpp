#include "shared/base/json.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "shared/base/decimal.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/utf8.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::json {

namespace {

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The value of a hexadecimal digit, -1 for anything else.
constexpr int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// ---- checking -----------------------------------------------------------------------------------

/// Walks text that may be anything. The kinds of the open containers are the bits of one word, which
/// is why the depth is limited to 64 and why nothing here allocates or recurses.
class Validator {
  public:
    Validator(std::string_view text, std::uint32_t depth_max)
        : position_(text.data()), end_(text.data() + text.size()), depth_max_(depth_max) {}

    bool accepts() {
        skip_space();
        for (;;) {
            if (!begin_value()) return false;
            if (starts_value_) continue;
            if (!finish_values()) return false;
            if (depth_ == 0) return position_ == end_;
        }
    }

  private:
    /// Takes a scalar, an empty container, or the opening of a container up to where its first value
    /// starts.
    bool begin_value() {
        starts_value_ = false;
        switch (peek()) {
            case '{':
                return open(true);
            case '[':
                return open(false);
            case '"':
                return string();
            case 't':
                return literal("true");
            case 'f':
                return literal("false");
            case 'n':
                return literal("null");
            default:
                return number();
        }
    }

    bool open(bool is_object) {
        if (depth_ == depth_max_) return false;
        ++depth_;
        objects_ = (objects_ << 1) | (is_object ? 1u : 0u);
        ++position_;
        skip_space();
        if (peek() == closer()) {
            close();
            return true;
        }
        starts_value_ = true;
        return !is_object || key();
    }

    void close() {
        ++position_;
        objects_ >>= 1;
        --depth_;
    }

    /// After a value: closes what ends here, up to the start of the next value or the end of the text.
    bool finish_values() {
        for (;;) {
            skip_space();
            if (depth_ == 0) return true;
            if (peek() == ',') {
                ++position_;
                skip_space();
                return !in_object() || key();
            }
            if (peek() != closer()) return false;
            close();
        }
    }

    bool key() {
        if (peek() != '"' || !string()) return false;
        skip_space();
        if (peek() != ':') return false;
        ++position_;
        skip_space();
        return true;
    }

    bool string() {
        ++position_;
        while (position_ != end_) {
            const auto c = static_cast<unsigned char>(*position_);
            if (c == '"') {
                ++position_;
                return true;
            }
            if (c < 0x20) return false;
            if (c == '\\') {
                if (!escape()) return false;
            } else {
                const std::uint32_t length = c < 0x80 ? 1 : utf8::sequence_length(position_, end_);
                if (length == 0) return false;
                position_ += length;
            }
        }
        return false;
    }

    bool escape() {
        ++position_;
        switch (peek()) {
            case '"':
            case '\\':
            case '/':
            case 'b':
            case 'f':
            case 'n':
            case 'r':
            case 't':
                ++position_;
                return true;
            case 'u':
                break;
            default:
                return false;
        }
        ++position_;
        for (int i = 0; i < 4; ++i, ++position_)
            if (hex_value(peek()) < 0) return false;
        return true;
    }

    bool number() {
        if (peek() == '-') ++position_;
        if (peek() == '0')
            ++position_;
        else if (!digits())
            return false;
        if (peek() == '.') {
            ++position_;
            if (!digits()) return false;
        }
        if (peek() != 'e' && peek() != 'E') return true;
        ++position_;
        if (peek() == '+' || peek() == '-') ++position_;
        return digits();
    }

    bool digits() {
        const char* const start = position_;
        while (is_digit(peek())) ++position_;
        return position_ != start;
    }

    bool literal(std::string_view word) {
        for (const char c : word) {
            if (peek() != c) return false;
            ++position_;
        }
        return true;
    }

    void skip_space() {
        while (is_space(peek())) ++position_;
    }

    /// The current character; at the end of the text a NUL, which is legal nowhere in JSON.
    char peek() const { return position_ == end_ ? '\0' : *position_; }
    bool in_object() const { return (objects_ & 1) != 0; }
    char closer() const { return in_object() ? '}' : ']'; }

    const char* position_;
    const char* end_;
    std::uint32_t depth_max_;
    std::uint32_t depth_ = 0;
    std::uint64_t objects_ = 0;
    bool starts_value_ = false;
};

// ---- cutting ------------------------------------------------------------------------------------
// From here on the text is valid; the checks against `end` only keep a mistake of ours harmless.

/// The closing quote is the first that an even number of backslashes stands before.
const char* string_end(const char* position, const char* end) {
    for (const char* quote = position; ++quote < end;) {
        quote = static_cast<const char*>(
            std::memchr(quote, '"', static_cast<std::size_t>(end - quote)));
        if (!quote) break;
        const char* escapes = quote;
        while (escapes[-1] == '\\') --escapes;  // ends at the opening quote
        if ((quote - escapes) % 2 == 0) return quote + 1;
    }
    return end;
}

const char* container_end(const char* position, const char* end) {
    std::uint32_t depth = 0;
    while (position < end) {
        const char c = *position;
        if (c == '"') {
            position = string_end(position, end);
            continue;
        }
        ++position;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) break;
    }
    return position;
}

const char* scalar_end(const char* position, const char* end) {
    const auto ends = [](char c) {
        return c == ',' || c == ':' || c == ']' || c == '}' || is_space(c);
    };
    while (position < end && !ends(*position)) ++position;
    return position;
}

const char* value_end(const char* position, const char* end) {
    if (*position == '"') return string_end(position, end);
    if (*position == '{' || *position == '[') return container_end(position, end);
    return scalar_end(position, end);
}

/// Yields what is directly inside a container: the elements of an array; key, value, key, value, … of
/// an object.
class Contents {
  public:
    explicit Contents(std::string_view container)
        : position_(container.data() + 1), end_(container.data() + container.size() - 1) {}

    std::optional<std::string_view> next() {
        while (position_ < end_ && (is_space(*position_) || *position_ == ',' || *position_ == ':'))
            ++position_;
        if (position_ >= end_) return std::nullopt;
        const char* const start = position_;
        position_ = value_end(position_, end_);
        return std::string_view(start, static_cast<std::size_t>(position_ - start));
    }

  private:
    const char* position_;
    const char* end_;
};

/// What stands between the quotes, or none if `value` is not a string.
std::optional<std::string_view> raw_text(std::string_view value) {
    value = trim(value);
    if (value.size() < 2 || value.front() != '"') return std::nullopt;
    return value.substr(1, value.size() - 2);
}

/// The four hexadecimal digits at `at`.
std::uint32_t code_unit(std::string_view raw, std::size_t at) {
    std::uint32_t unit = 0;
    for (const char c : raw.substr(at, 4))
        unit = (unit << 4) | static_cast<std::uint32_t>(hex_value(c));
    return unit;
}

constexpr bool is_high_surrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool is_low_surrogate(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

/// Appends what the escape \uXXXX at `at` (of its digits) stands for; returns where to go on.
std::size_t append_unicode(std::string& out, std::string_view raw, std::size_t at) {
    const std::uint32_t unit = code_unit(raw, at);
    at += 4;
    if (is_high_surrogate(unit) && raw.substr(at, 2) == "\\u") {
        const std::uint32_t low = code_unit(raw, at + 2);
        if (is_low_surrogate(low)) {
            utf8::append(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
            return at + 6;
        }
    }
    const bool is_lone = is_high_surrogate(unit) || is_low_surrogate(unit);
    utf8::append(out, is_lone ? 0xFFFD : unit);
    return at;
}

char short_escape(char c) {
    switch (c) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return c;  // quote, backslash, slash
    }
}

std::string unescape(std::string_view raw) {
    std::string out;
    out.reserve(raw.size());
    for (std::size_t at = 0; at < raw.size();) {
        const std::size_t backslash = std::min(raw.find('\\', at), raw.size());
        out.append(raw, at, backslash - at);
        if (backslash + 1 >= raw.size()) break;
        const char kind = raw[backslash + 1];
        at = backslash + 2;
        if (kind == 'u')
            at = append_unicode(out, raw, at);
        else
            out += short_escape(kind);
    }
    return out;
}

void append_escape(std::string& out, char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '\\';
    switch (c) {
        case '"':
        case '\\':
            out += c;
            return;
        case '\b':
            out += 'b';
            return;
        case '\f':
            out += 'f';
            return;
        case '\n':
            out += 'n';
            return;
        case '\r':
            out += 'r';
            return;
        case '\t':
            out += 't';
            return;
        default:
            break;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += "u00";
    out += hex[byte >> 4];
    out += hex[byte & 15];
}

}  // namespace

bool is_valid(std::string_view text, std::uint32_t depth_max) {
    static_assert(limits::json_depth <= 64);
    VERIFY(depth_max <= limits::json_depth);  // constants of ours
    return Validator(text, depth_max).accepts();
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

Kind kind_of(std::string_view value) {
    value = trim(value);
    switch (value.empty() ? 'n' : value.front()) {
        case '{':
            return Kind::object;
        case '[':
            return Kind::array;
        case '"':
            return Kind::string;
        case 't':
        case 'f':
            return Kind::boolean;
        case 'n':
            return Kind::null;
        default:
            return Kind::number;
    }
}

std::vector<std::string_view> elements(std::string_view value) {
    std::vector<std::string_view> found;
    if (kind_of(value) != Kind::array) return found;
    Contents contents(trim(value));
    while (const auto element = contents.next()) found.push_back(*element);
    return found;
}

std::optional<std::string_view> first_element(std::string_view value) {
    if (kind_of(value) != Kind::array) return std::nullopt;
    return Contents(trim(value)).next();
}

std::optional<std::string_view> member(std::string_view object, std::string_view key) {
    if (kind_of(object) != Kind::object) return std::nullopt;
    std::optional<std::string_view> found;
    Contents contents(trim(object));
    while (const auto name = contents.next()) {
        const auto value = contents.next();
        if (is_text(*name, key)) found = value;
    }
    return found;
}

std::string_view members_text(std::string_view object) {
    object = trim(object);
    return object.size() < 2 ? std::string_view() : trim(object.substr(1, object.size() - 2));
}

std::optional<std::string> as_string(std::string_view value) {
    const auto raw = raw_text(value);
    if (!raw) return std::nullopt;
    return unescape(*raw);
}

bool is_text(std::string_view value, std::string_view utf8) {
    const auto raw = raw_text(value);
    if (!raw) return false;
    if (raw->find('\\') == std::string_view::npos) return *raw == utf8;
    return unescape(*raw) == utf8;
}

std::optional<std::int64_t> as_integer(std::string_view value) {
    value = trim(value);
    const bool is_negative = value.starts_with('-');
    const auto number = parse_decimal(value.substr(is_negative ? 1 : 0));
    if (!number || *number > std::uint64_t{limits::safe_integer}) return std::nullopt;
    const auto size = static_cast<std::int64_t>(*number);
    return is_negative ? -size : size;
}

std::optional<bool> as_boolean(std::string_view value) {
    value = trim(value);
    if (value == "true") return true;
    if (value == "false") return false;
    return std::nullopt;
}

void append_quoted(std::string& out, std::string_view utf8) {
    out += '"';
    std::size_t written = 0;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const char c = utf8[i];
        if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) continue;
        out.append(utf8.data() + written, i - written);
        append_escape(out, c);
        written = i + 1;
    }
    out.append(utf8.data() + written, utf8.size() - written);
    out += '"';
}

std::string quoted(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size() + 2);
    append_quoted(out, utf8);
    return out;
}

}  // namespace oncewire::json
