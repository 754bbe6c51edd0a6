#pragma once

namespace oncewire {

/// Ends the process with the failed condition on standard error (WebAssembly: traps). Never returns.
[[noreturn]] void verify_failed(const char* condition, const char* file, int line);

}  // namespace oncewire

/// States what must hold if *our* code is right; on in release builds too, because a restart is the
/// best tested path there is. What a peer sends never reaches one: that is a Result, not a VERIFY. So each
/// says on its line, directly above, or for all of its file, why no peer can reach it (tests/lint/tidy.py).
#define VERIFY(condition) \
    ((condition) ? void(0) : ::oncewire::verify_failed(#condition, __FILE__, __LINE__))
