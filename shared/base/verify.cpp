#include "shared/base/verify.hpp"

#ifndef __EMSCRIPTEN__
#include <cstdio>
#include <cstdlib>
#endif

namespace oncewire {

void verify_failed([[maybe_unused]] const char* condition, [[maybe_unused]] const char* file,
                   [[maybe_unused]] int line) {
#ifdef __EMSCRIPTEN__
    __builtin_trap();  // no stdio in the browser build; the trap's stack names the place
#else
    std::fprintf(stderr, "%s:%d: VERIFY(%s) failed\n", file, line, condition);
    std::abort();
#endif
}

}  // namespace oncewire
