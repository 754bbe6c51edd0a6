#pragma once

#include <cstdint>

namespace oncewire::store {

/// What a batch survives once it is committed; told to clients at attach.
enum class Durability : std::uint8_t {
    memory,   ///< nothing: `:memory:`
    process,  ///< kill -9, not power loss
    disk,     ///< power loss: fsynced
};
const char* durability_text(Durability durability);

}  // namespace oncewire::store
