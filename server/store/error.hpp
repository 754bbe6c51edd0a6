#pragma once

#include <cstdint>
#include <string>

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

/// Why a database could not be opened, copied or examined.
struct OpenError {
    StoreError error = StoreError::io;
    std::string sentence;  ///< for people: which file, and what to do about it
};

}  // namespace oncewire::store
