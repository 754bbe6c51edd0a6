#pragma once

#include "shared/base/time.hpp"

namespace oncewire::client_wasm {

/// The browser's monotonic clock, counted from when the page was opened.
Instant now();

}  // namespace oncewire::client_wasm
