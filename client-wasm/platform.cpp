#include "client-wasm/platform.hpp"

#include <emscripten.h>

namespace oncewire::client_wasm {

Instant now() { return Instant(Millis(static_cast<std::int64_t>(emscripten_get_now()))); }

}  // namespace oncewire::client_wasm
