#include <catch2/catch.hpp>
#include <string>

#include "shared/base/utf8.hpp"

namespace base_utf8_test {

using namespace oncewire;

namespace {

bool is_surrogate(std::uint32_t code_point) { return code_point >= 0xD800 && code_point < 0xE000; }

}  // namespace

TEST_CASE("every code point but the surrogates is one valid sequence") {
    bool all_valid = true;
    std::string text;
    for (std::uint32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
        if (is_surrogate(code_point)) continue;
        std::string sequence;
        utf8::append(sequence, code_point);
        const std::uint32_t length = code_point < 0x80      ? 1
                                     : code_point < 0x800   ? 2
                                     : code_point < 0x10000 ? 3
                                                            : 4;
        all_valid = all_valid && sequence.size() == length &&
                    utf8::sequence_length(sequence.data(), sequence.data() + length) == length;
        if (code_point % 97 == 0) text += sequence;
    }
    CHECK(all_valid);
    CHECK(utf8::is_valid(text));
}

TEST_CASE("as many two- and three-byte texts are valid as there are such code points") {
    // Sequences with trailing ASCII do not count twice: only those taken whole are counted.
    const auto count_whole = [](std::uint32_t length, std::uint32_t first_max) {
        std::uint32_t whole = 0;
        std::string text(length, '\0');
        for (std::uint32_t bits = 0x80u << (8 * (length - 1)); bits <= first_max; ++bits) {
            for (std::uint32_t i = 0; i < length; ++i)
                text[i] = static_cast<char>(bits >> (8 * (length - 1 - i)));
            if (utf8::sequence_length(text.data(), text.data() + length) == length) ++whole;
        }
        return whole;
    };
    CHECK(count_whole(2, 0xFFFF) == 0x800 - 0x80);
    CHECK(count_whole(3, 0xFFFFFF) == 0x10000 - 0x800 - 0x800);
}

TEST_CASE("four-byte sequences end at U+10FFFF and are never overlong") {
    CHECK(utf8::is_valid("\xF0\x90\x80\x80"));
    CHECK(utf8::is_valid("\xF4\x8F\xBF\xBF"));
    CHECK_FALSE(utf8::is_valid("\xF0\x8F\xBF\xBF"));
    CHECK_FALSE(utf8::is_valid("\xF4\x90\x80\x80"));
    CHECK_FALSE(utf8::is_valid("\xF5\x80\x80\x80"));
    CHECK_FALSE(utf8::is_valid("\xF8\x88\x80\x80\x80"));
}

TEST_CASE("a sequence cut short is invalid at any place in the text") {
    const std::string sequence = "\xF0\x9F\x98\x80";
    for (std::size_t before = 0; before < 20; ++before) {
        for (std::size_t kept = 1; kept <= sequence.size(); ++kept) {
            const std::string text = std::string(before, 'a') + sequence.substr(0, kept);
            CHECK(utf8::is_valid(text) == (kept == sequence.size()));
            CHECK(utf8::is_valid(text + "aaaaaaaaa") == (kept == sequence.size()));
        }
    }
}

}  // namespace base_utf8_test
