// Writes web/confusables.js: which characters are taken for which others, by the data of Unicode's UTS 39
// as the ICU of this machine has it. What the page's own folding (NFKC, small letters) makes the same is
// left out.
//
//   c++ -std=c++20 tests/lint/confusables.cpp -licui18n -licuuc -o /tmp/confusables && /tmp/confusables > web/confusables.js
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uspoof.h>
#include <unicode/uversion.h>

#include <iostream>
#include <map>
#include <string>

namespace {

std::string utf8(const icu::UnicodeString& text) {
    std::string bytes;
    text.toUTF8String(bytes);
    return bytes;
}

/// Up to the Cyrillic script, where nearly all names are that somebody wants to be taken for; all of Unicode
/// would be five times as much for every page to load.
bool is_worth_its_bytes(const icu::UnicodeString& prototype) {
    for (int32_t i = 0; i < prototype.length(); ++i) {
        const UChar c = prototype[i];
        const bool is_mark = c >= 0x300 && c < 0x370;
        if (c > 0x52f || (!is_mark && !u_isalnum(c))) return false;
    }
    return true;
}

/// What may not stand in the table as it is.
std::string written(const icu::UnicodeString& text) {
    std::string bytes = utf8(text);
    std::string out;
    for (const char c : bytes) {
        if (c == '\\' || c == '`' || c == '$') out += '\\';
        out += c;
    }
    return out;
}

}  // namespace

int main() {
    UErrorCode error = U_ZERO_ERROR;
    USpoofChecker* checker = uspoof_open(&error);
    const auto* nfd = icu::Normalizer2::getNFDInstance(error);
    const auto* nfkc = icu::Normalizer2::getNFKCInstance(error);
    const auto skeleton = [&](const icu::UnicodeString& text) {
        icu::UnicodeString made;
        uspoof_getSkeletonUnicodeString(checker, 0, text, made, &error);
        return made;
    };
    std::map<std::string, std::string> by_prototype;
    for (UChar32 c = 0x21; c <= 0x10ffff; ++c) {
        if (!u_isdefined(c) || U_IS_SURROGATE(c) || u_isUWhiteSpace(c)) continue;
        if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) continue;
        const icu::UnicodeString one(c);
        if (nfd->normalize(one, error) != one) continue;  // is taken apart before it is looked up
        const icu::UnicodeString prototype = skeleton(one);
        const icu::UnicodeString plain = nfkc->normalize(one, error);
        if (prototype == one || prototype.isEmpty()) continue;
        if (plain != one && skeleton(plain) == prototype) continue;
        if (!is_worth_its_bytes(prototype)) continue;
        by_prototype[written(prototype)] += written(one);
    }
    if (U_FAILURE(error)) return 1;
    std::cout << "// Made by tests/lint/confusables.cpp from the data of Unicode "
              << U_UNICODE_VERSION << " (UTS 39, www.unicode.org/copyright.html); do not edit.\n"
              << "// A line: what it looks like, a blank, then each character that looks like it.\n"
              << "export const confusables = `";
    for (const auto& [prototype, characters] : by_prototype) {
        std::cout << prototype << ' ' << characters << '\n';
    }
    std::cout << "`;\n";
}
