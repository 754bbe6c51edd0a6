#pragma once

#include <algorithm>
#include <cstdlib>
#include <string_view>

/// Takes `flag` and the number behind it off the command line; `otherwise`, if it is not there.
template <class Number = int>
Number take_number(int& argc, char** argv, std::string_view flag, Number otherwise) {
    char** const end = argv + argc;
    char** const found = std::find(argv, end, flag);
    if (end - found < 2) return otherwise;
    const auto number = static_cast<Number>(std::atoi(found[1]));
    std::copy(found + 2, end, found);
    argc -= 2;
    return number;
}
