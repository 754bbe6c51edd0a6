#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "server/api/views.hpp"
#include "shared/base/json.hpp"

/// C++ values as event arguments, and back.
///
/// Out: booleans, numbers, strings, Binary, Json, JsonText, std::optional, std::vector, and whatever
/// nlohmann/json knows how to turn into JSON. In: the same, checked: what does not fit is no value,
/// never an exception.
namespace oncewire::api {

/// Any JSON value; the members of an object stay in the order in which they came or were added, as in
/// JavaScript. Bytes inside it (Json::binary) travel as bytes. Two objects are equal if their members stand
/// in the same order, too. To find a member takes the longer the more there are: text of others becomes a
/// Json by decode_json(), argument<Json>() and the like, whose time does not grow with the square of it.
using Json = nlohmann::ordered_json;

/// An argument that is bytes: a Buffer, ArrayBuffer or typed array on the other side.
struct Binary {
    std::string bytes;
    bool operator==(const Binary&) const = default;
};

/// JSON text that is passed on as it is. What is no JSON, or nests too deep for clients, goes out as a
/// string.
struct JsonText {
    std::string text;
    bool operator==(const JsonText&) const = default;
};

template <class T>
struct Decoder;

/// The arguments of one event or acknowledgement, as they travel. An argument of this type stands for
/// all it holds, so what came in goes out again without being looked at.
struct Arguments {
    std::string data = "[]";               ///< JSON array text
    std::vector<std::string> attachments;  ///< what placeholders in `data` stand for

    /// One JSON text for each; views into `data`.
    std::vector<std::string_view> texts() const { return json::elements(data); }
    std::size_t size() const { return texts().size(); }
    /// The argument at `index` as a T; none if it is not there or is something else.
    template <class T>
    std::optional<T> get(std::size_t index = 0) const;
};

// ---- out ----------------------------------------------------------------------------------------

void encode_value(Arguments& out, bool value);
void encode_value(Arguments& out, double value);
void encode_value(Arguments& out, std::int64_t value);
void encode_value(Arguments& out, std::uint64_t value);
/// Bytes that are no UTF-8 become U+FFFD.
void encode_value(Arguments& out, std::string_view value);
void encode_value(Arguments& out, const Binary& value);
void encode_value(Arguments& out, const Json& value);
void encode_value(Arguments& out, const Arguments& value);
void encode_value(Arguments& out, const JsonText& value);
inline void encode_value(Arguments& out, const char* value) {
    encode_value(out, std::string_view(value));
}
inline void encode_value(Arguments& out, const std::string& value) {
    encode_value(out, std::string_view(value));
}
inline void encode_value(Arguments& out, std::nullptr_t) { out.data += "null"; }
inline void encode_value(Arguments& out, std::nullopt_t) { out.data += "null"; }

template <class T>
void encode_value(Arguments& out, const std::optional<T>& value);
template <class T>
void encode_value(Arguments& out, const std::vector<T>& values);

namespace internal {

/// Something that is called.
template <class T>
concept IsFunction =
    std::is_member_pointer_v<T> || std::is_function_v<std::remove_pointer_t<T>> || requires {
    typename std::void_t<decltype(&T::operator())>;
};
template <class T, class J>
inline constexpr bool becomes = !std::is_pointer_v<T> && std::is_constructible_v<J, const T&>;

}  // namespace internal

/// Numbers by their kind; other types by nlohmann/json.
template <class T>
requires(!std::is_convertible_v<T, std::string_view>) void encode_value(Arguments& out,
                                                                        const T& value) {
    constexpr bool is_function = internal::IsFunction<T>;
    constexpr bool is_json = !is_function && internal::becomes<T, Json>;
    constexpr bool is_sorted = !is_function && internal::becomes<T, nlohmann::json>;
    static_assert(!is_function,
                  "oncewire: a function cannot be sent; to ask for an answer write "
                  "emit_with_ack(event, arguments..., function)");
    static_assert(
        is_function || is_json || is_sorted || std::is_arithmetic_v<T>,
        "oncewire: a value of this type cannot be sent; give it "
        "void to_json(oncewire::api::Json&, const T&), and send values rather than pointers");
    if constexpr (std::is_floating_point_v<T>) {
        encode_value(out, static_cast<double>(value));
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
        encode_value(out, static_cast<std::int64_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
        encode_value(out, static_cast<std::uint64_t>(value));
    } else if constexpr (is_json) {
        encode_value(out, Json(value));
    } else if constexpr (is_sorted) {
        encode_value(out, Json(nlohmann::json(value)));
    }
}

template <class T>
void encode_value(Arguments& out, const std::optional<T>& value) {
    if (value) {
        encode_value(out, *value);
    } else {
        out.data += "null";
    }
}

template <class T>
void encode_value(Arguments& out, const std::vector<T>& values) {
    out.data += '[';
    bool first = true;
    for (const auto& value : values) {
        if (!std::exchange(first, false)) out.data += ',';
        encode_value(out, value);
    }
    out.data += ']';
}

namespace internal {

template <class T>
void append_argument(Arguments& out, const T& value) {
    const std::size_t before = out.data.size();
    if (before > 1) out.data += ',';
    const std::size_t start = out.data.size();
    encode_value(out, value);
    if (out.data.size() == start) out.data.resize(before);  // Arguments without any
}

}  // namespace internal

template <class... T>
Arguments encode(const T&... values) {
    Arguments out;
    out.data = "[";
    (internal::append_argument(out, values), ...);
    out.data += ']';
    return out;
}

// ---- in -----------------------------------------------------------------------------------------

/// JSON text with placeholders, as a value with bytes in it. None: a number too large for a double.
std::optional<Json> decode_json(std::string_view text, const std::vector<std::string>& attachments);
std::optional<Binary> decode_binary(std::string_view text,
                                    const std::vector<std::string>& attachments);

namespace internal {

template <class T, class J>
concept FromJson = (std::is_default_constructible_v<T> ||
                    requires(const J& json) { nlohmann::adl_serializer<T>::from_json(json); }) &&
                   requires(const J& json) {
    json.template get<T>();
};

}  // namespace internal

/// How an argument becomes a T. Empty text: the sender left it out. Specialise for your own types, or
/// give them nlohmann's from_json(), of api::Json or of nlohmann::json, which has its members sorted.
template <class T>
struct Decoder {
    static constexpr bool is_by_json = true;
    static constexpr const char* wanted = "of another shape";
    static std::optional<T> decode([[maybe_unused]] std::string_view text,
                                   [[maybe_unused]] const std::vector<std::string>& attachments) {
#if defined(__cpp_exceptions)
        const auto value = decode_json(text, attachments);
        if (text.empty() || !value) return std::nullopt;
        try {
            if constexpr (internal::FromJson<T, Json>) {
                return value->template get<T>();
            } else {
                return nlohmann::json(*value).template get<T>();
            }
        } catch (const Json::exception&) {
            return std::nullopt;
        }
#else
        static_assert(sizeof(T) == 0, "without exceptions such a type needs its own Decoder");
#endif
    }
};

template <>
struct Decoder<bool> {
    static constexpr const char* wanted = "a boolean";
    static std::optional<bool> decode(std::string_view text, const std::vector<std::string>&) {
        return text.empty() ? std::nullopt : json::as_boolean(text);
    }
};

template <class T>
requires std::is_integral_v<T>
struct Decoder<T> {
    static constexpr const char* wanted = "an integer in range";
    static std::optional<T> decode(std::string_view text, const std::vector<std::string>&) {
        const auto value = text.empty() ? std::nullopt : json::as_integer(text);
        if (!value || !std::in_range<T>(*value)) return std::nullopt;
        return static_cast<T>(*value);
    }
};

template <class T>
requires std::is_floating_point_v<T>
struct Decoder<T> {
    static constexpr const char* wanted = "a number";
    static std::optional<T> decode(std::string_view text, const std::vector<std::string>&) {
        const auto value = decode_json(text, {});
        if (text.empty() || !value || !value->is_number()) return std::nullopt;
        return value->template get<T>();
    }
};

template <>
struct Decoder<std::string> {
    static constexpr const char* wanted = "a string";
    static std::optional<std::string> decode(std::string_view text,
                                             const std::vector<std::string>&) {
        return text.empty() ? std::nullopt : json::as_string(text);
    }
};

template <>
struct Decoder<Binary> {
    static constexpr const char* wanted = "bytes";
    static std::optional<Binary> decode(std::string_view text,
                                        const std::vector<std::string>& attachments) {
        return decode_binary(text, attachments);
    }
};

/// Whatever it is; left out is null.
template <>
struct Decoder<Json> {
    static constexpr const char* wanted = "a JSON value";
    static std::optional<Json> decode(std::string_view text,
                                      const std::vector<std::string>& attachments) {
        return decode_json(text, attachments);
    }
};

template <>
struct Decoder<JsonText> {
    static constexpr const char* wanted = "a JSON value";
    static std::optional<JsonText> decode(std::string_view text, const std::vector<std::string>&) {
        return JsonText{text.empty() ? "null" : std::string(text)};
    }
};

/// null or left out: none.
template <class T>
struct Decoder<std::optional<T>> {
    static constexpr const char* wanted = Decoder<T>::wanted;
    static std::optional<std::optional<T>> decode(std::string_view text,
                                                  const std::vector<std::string>& attachments) {
        if (text.empty() || text == "null") return std::optional<T>();
        auto value = Decoder<T>::decode(text, attachments);
        if (!value) return std::nullopt;
        return value;
    }
};

template <class T>
struct Decoder<std::vector<T>> {
    static constexpr const char* wanted = "an array of such values";
    static std::optional<std::vector<T>> decode(std::string_view text,
                                                const std::vector<std::string>& attachments) {
        if (text.empty() || json::kind_of(text) != json::Kind::array) return std::nullopt;
        std::vector<T> values;
        for (const auto element : json::elements(text)) {
            auto value = Decoder<T>::decode(element, attachments);
            if (!value) return std::nullopt;
            values.push_back(std::move(*value));
        }
        return values;
    }
};

namespace internal {

/// Whether there is a way from an argument to a T.
template <class T>
struct IsReadable : std::true_type {};
template <class T>
requires requires { Decoder<T>::is_by_json; }
struct IsReadable<T> : std::bool_constant<FromJson<T, Json> || FromJson<T, nlohmann::json>> {};
template <class T>
struct IsReadable<std::optional<T>> : IsReadable<T> {};
template <class T>
struct IsReadable<std::vector<T>> : IsReadable<T> {};

}  // namespace internal

/// The argument `text` as a T; none if it is something else.
template <class T>
std::optional<T> decode(std::string_view text, const std::vector<std::string>& attachments) {
    constexpr bool is_view = internal::is_view<T>;
    constexpr bool is_readable =
        std::conjunction_v<std::bool_constant<!is_view>, internal::IsReadable<T>>;
    static_assert(
        !is_view,
        "oncewire: an argument cannot be read as a view or a pointer, because nothing would keep "
        "what it looks at; write std::string instead of std::string_view or const char*, "
        "std::vector<T> instead of std::span<T>, T instead of T*");
    static_assert(is_view || is_readable,
                  "oncewire: an argument cannot become a value of this type; give it "
                  "void from_json(const oncewire::api::Json&, T&) and a default constructor, or "
                  "specialise oncewire::api::Decoder<T>");
    if constexpr (is_readable) {
        return Decoder<T>::decode(text, attachments);
    } else {
        return std::nullopt;
    }
}

template <class T>
std::optional<T> Arguments::get(std::size_t index) const {
    const auto all = texts();
    return decode<T>(index < all.size() ? all[index] : std::string_view(), attachments);
}

}  // namespace oncewire::api
