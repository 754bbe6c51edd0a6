// Any bytes: our check agrees with an independent parser, and our slices with its tree.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/base/verify.hpp"

using namespace oncewire;

namespace {

using Json = nlohmann::json;

/// Listens to the other parser: how deep it went, and why it stopped.
class Listener : public nlohmann::json_sax<Json> {
  public:
    bool too_deep = false;
    bool number_too_large = false;  // it wants finite doubles; JSON does not

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool key(string_t&) override { return true; }
    bool start_object(std::size_t) override { return open(); }
    bool start_array(std::size_t) override { return open(); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
        number_too_large = error.id == 406;
        return false;
    }

  private:
    bool open() {
        too_deep = ++depth_ > limits::json_depth;
        return !too_deep;
    }
    bool close() {
        --depth_;
        return true;
    }
    std::uint32_t depth_ = 0;
};

/// JSON allows lone surrogate escapes and the other parser does not: with any in the text it is no judge.
bool has_surrogate_escape(const std::string& text) {
    for (const char* escape : {"\\ud", "\\uD"})
        if (text.find(escape) != std::string::npos) return true;
    return false;
}

/// What the other parser takes for the end of the text (NUL) or skips (a byte order mark).
bool has_what_json_lacks(const std::string& text) {
    return text.find('\0') != std::string::npos || text.compare(0, 3, "\xEF\xBB\xBF") == 0;
}

void check_slices(std::string_view text, const Json& tree) {
    VERIFY(json::is_valid(text, limits::json_depth) && json::trim(text) == text);
    switch (json::kind_of(text)) {
        case json::Kind::null:
            VERIFY(tree.is_null());
            return;
        case json::Kind::boolean:
            VERIFY(json::as_boolean(text) == tree.get<bool>());
            return;
        case json::Kind::number:
            VERIFY(tree.is_number());
            if (const auto integer = json::as_integer(text)) VERIFY(tree == *integer);
            return;
        case json::Kind::string:
            VERIFY(json::as_string(text) == tree.get<std::string>());
            VERIFY(json::is_text(text, tree.get<std::string>()));
            VERIFY(json::as_string(json::quoted(tree.get<std::string>())) ==
                   tree.get<std::string>());
            return;
        case json::Kind::array: {
            const auto elements = json::elements(text);
            VERIFY(elements.size() == tree.size());
            VERIFY(json::first_element(text).has_value() == !elements.empty());
            for (std::size_t i = 0; i < elements.size(); ++i) check_slices(elements[i], tree[i]);
            return;
        }
        case json::Kind::object:
            for (const auto& [key, value] : tree.items()) {
                const auto found = json::member(text, key);
                VERIFY(found.has_value());
                check_slices(*found, value);
            }
            return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const bool ours = json::is_valid(text, limits::json_depth);
    Listener listener;
    const bool theirs = Json::sax_parse(text, &listener);
    if (has_what_json_lacks(text)) {
        VERIFY(!ours);
    } else if (!listener.number_too_large && !has_surrogate_escape(text)) {
        VERIFY(ours == theirs);
    }
    if (ours && theirs) check_slices(json::trim(text), Json::parse(text));
    return 0;
}
