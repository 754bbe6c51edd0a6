#pragma once

#include <utility>

namespace oncewire {

/// Leaves `value` empty and frees what it held. clear() does not, and neither does the assignment of an
/// empty value: a std::string that is assigned an empty one keeps its memory for what comes next.
template <class T>
void give_back(T& value) {
    const T gone = std::exchange(value, T());
}

}  // namespace oncewire
