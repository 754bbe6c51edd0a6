#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace oncewire {

/// For tables of strings that are searched by what is not a std::string, without making one.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};

}  // namespace oncewire
