#include "shared/base/json.hpp"

#include <catch2/catch.hpp>

#include "shared/base/limits.hpp"
#include "shared/base/prng.hpp"
#include "tests/unit/support/vectors.hpp"

namespace json_test {

using namespace oncewire;

namespace {

bool is_valid(const std::string& text) { return json::is_valid(text, limits::json_depth); }

std::size_t pick(Prng& prng, std::size_t bound) {
    return static_cast<std::size_t>(prng.below(bound));
}

/// Every array and object of `value`, taken apart with our slices, against the other parser's tree.
void check_slices(std::string_view text, const nlohmann::json& value) {
    CHECK(nlohmann::json::parse(text) == value);
    if (value.is_array()) {
        const auto elements = json::elements(text);
        REQUIRE(elements.size() == value.size());
        for (std::size_t i = 0; i < elements.size(); ++i) check_slices(elements[i], value[i]);
        CHECK(json::first_element(text).has_value() == !value.empty());
        if (!value.empty()) CHECK(*json::first_element(text) == elements.front());
    }
    if (value.is_object()) {
        for (const auto& [key, expected] : value.items()) {
            const auto found = json::member(text, key);
            REQUIRE(found.has_value());
            check_slices(*found, expected);
        }
        CHECK_FALSE(json::member(text, "no such key").has_value());
    }
    if (value.is_string()) {
        CHECK(json::as_string(text) == value.get<std::string>());
        CHECK(json::is_text(text, value.get<std::string>()));
        CHECK_FALSE(json::is_text(text, value.get<std::string>() + "x"));
    }
}

}  // namespace

TEST_CASE("texts that are one JSON value are accepted") {
    for (const auto& vector : vectors::load("json_texts.json", "valid")) {
        const std::string text = vectors::bytes_of(vector);
        CAPTURE(vectors::excerpt(text));
        CHECK(is_valid(text));
    }
}

TEST_CASE("texts that are not exactly one JSON value are refused") {
    for (const auto& vector : vectors::load("json_texts.json", "invalid")) {
        const std::string text = vectors::bytes_of(vector);
        CAPTURE(vectors::excerpt(text));
        CHECK_FALSE(is_valid(text));
    }
}

TEST_CASE("nesting is allowed up to the depth asked for and no further") {
    for (std::uint32_t depth = 0; depth <= limits::json_depth; ++depth) {
        const std::string arrays = std::string(depth, '[') + std::string(depth, ']');
        const std::string text = depth == 0 ? "1" : arrays;
        CHECK(json::is_valid(text, depth));
        if (depth > 0) CHECK_FALSE(json::is_valid(text, depth - 1));
    }
    CHECK(json::is_valid("[[],{},[]]", 2));
    CHECK_FALSE(json::is_valid("[[],{},[[]]]", 2));
}

TEST_CASE(
    "a text is never valid before its last byte, unless what is missing is only space or digits") {
    const std::string text =
        R"({"a":[1,-2.5e+3,"\u00e9\ud83d\ude00é漢😀",true,null,{"b":{}}],"c":false})";
    CHECK(is_valid(text));
    for (std::size_t length = 0; length < text.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(is_valid(text.substr(0, length)));
    }
}

TEST_CASE("an independent parser agrees on ten thousand damaged texts") {
    const std::string seed_text =
        R"([{"a":[1,-2.5e+3,"\u00e9é😀\\\"",true,null],"b":{"c":false}}, 0.5, "x",[],{} ])";
    const std::string alphabet = "{}[]\",:\\u0129eE+-.tfn \n\x80\xc3\xa9\x1f";
    Prng prng(7);
    std::uint32_t still_valid = 0;
    for (int round = 0; round < 10'000; ++round) {
        std::string text = seed_text;
        for (auto edits = prng.below(3) + 1; edits > 0; --edits) {
            const std::size_t at = pick(prng, text.size());
            const char c = alphabet[pick(prng, alphabet.size())];
            switch (prng.below(3)) {
                case 0:
                    text[at] = c;
                    break;
                case 1:
                    text.insert(at, 1, c);
                    break;
                default:
                    text.erase(at, 1 + pick(prng, 3));
                    break;
            }
        }
        CAPTURE(text);
        const bool expected = nlohmann::json::accept(text);
        CHECK(is_valid(text) == expected);
        still_valid += expected ? 1 : 0;
    }
    CHECK(still_valid > 100);  // else the damage was too great to say anything
}

TEST_CASE("slices of arrays and objects are what an independent parser finds there") {
    for (const std::string text : {
             R"([])",
             R"([ ])",
             R"({})",
             R"([1])",
             R"([ 1 , "a,b]" , [2,[3]] , {"x":[4]} ])",
             R"( { "a" : 1 , "b,\"}" : "]" , "c" : { "d" : [ { } ] } } )",
             R"({"a":1,"b":2,"a":{"last":"wins"}})",
             R"({"\u0061":1,"\\":2,"":3})",
             R"(["\\","\"","\\\"",{"\\\\":"}"}])",
             R"([-1.5e3,true,false,null])",
         }) {
        CAPTURE(text);
        REQUIRE(is_valid(text));
        check_slices(text, nlohmann::json::parse(text));
    }
}

TEST_CASE("slices are trimmed and asking the wrong kind gives nothing") {
    CHECK(json::trim(" \t\r\n[1] \n") == "[1]");
    CHECK(json::elements("[ 1 ,\n2 ]") == std::vector<std::string_view>{"1", "2"});
    CHECK(json::elements("{\"a\":1}").empty());
    CHECK_FALSE(json::first_element("\"[1]\"").has_value());
    CHECK_FALSE(json::member("[\"a\",1]", "a").has_value());
    CHECK_FALSE(json::as_string("1").has_value());
    CHECK_FALSE(json::is_text("null", "null"));
    CHECK(json::as_boolean(" true ") == true);
    CHECK(json::as_boolean("false") == false);
    CHECK_FALSE(json::as_boolean("\"true\"").has_value());
    CHECK_FALSE(json::as_boolean("null").has_value());
}

TEST_CASE("every kind of value is told by its first character") {
    CHECK(json::kind_of(" null") == json::Kind::null);
    CHECK(json::kind_of("true") == json::Kind::boolean);
    CHECK(json::kind_of("false") == json::Kind::boolean);
    CHECK(json::kind_of("-1") == json::Kind::number);
    CHECK(json::kind_of("0") == json::Kind::number);
    CHECK(json::kind_of("\"\"") == json::Kind::string);
    CHECK(json::kind_of("[]") == json::Kind::array);
    CHECK(json::kind_of("{}") == json::Kind::object);
}

TEST_CASE("escapes are resolved and lone surrogates become the replacement character") {
    for (const auto& vector : vectors::load("json_texts.json", "strings")) {
        const std::string text = vector["json"];
        const std::string expected = vectors::bytes_of(vector["text"]);
        CAPTURE(text);
        REQUIRE(is_valid(text));
        CHECK(json::as_string(text) == expected);
        CHECK(json::is_text(text, expected));
        CHECK_FALSE(json::is_text(text, expected + "\\"));
    }
}

TEST_CASE("quoting escapes what JSON demands and is undone by reading") {
    for (const auto& vector : vectors::load("json_texts.json", "quoted")) {
        const std::string text = vectors::bytes_of(vector["text"]);
        CHECK(json::quoted(text) == vectors::bytes_of(vector["json"]));
        CHECK(is_valid(json::quoted(text)));
        CHECK(json::as_string(json::quoted(text)) == text);
    }
}

TEST_CASE("integers are exact, within what a JavaScript peer can hold, and written as integers") {
    for (const auto& vector : vectors::load("json_texts.json", "integers")) {
        const std::string text = vector["json"];
        CAPTURE(text);
        const auto value = json::as_integer(text);
        CHECK(value.has_value() == vector.contains("value"));
        if (value && vector.contains("value")) CHECK(*value == vector["value"].get<std::int64_t>());
    }
}

}  // namespace json_test
