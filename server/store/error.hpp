#pragma once

#include <cstdint>

namespace oncewire::store {

/// Why the store could not do it. None of them is a verdict on a message: the sender keeps it.
enum class StoreError : std::uint8_t {
    busy,  ///< locked by another process; try again soon
    full,  ///< no space; reads go on
    read_only,
    io,            ///< the disk or the file failed; reopen
    corrupt,       ///< do not write; keep the evidence
    newer_schema,  ///< written by a newer version of this program
    handler,       ///< not the store: the application's handler failed, so its message waits
};
const char* error_text(StoreError error);

}  // namespace oncewire::store
