#include "server/core/environment.hpp"

#include <sys/random.h>

#include <cerrno>
#include <chrono>

#include "shared/base/base64.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::core {

Instant monotonic_now() {
    const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
    return Instant(std::chrono::floor<Millis>(since_boot));
}

UnixMillis wall_clock_now() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::floor<Millis>(since_1970).count()};
}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    for (std::size_t filled = 0; filled < count;) {
        const ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
        if (got < 0 && errno == EINTR) continue;
        VERIFY(got > 0);  // the kernel's word, not a peer's
        filled += static_cast<std::size_t>(got);
    }
    return bytes;
}

delivery::Epoch new_epoch() {
    constexpr std::size_t epoch_bytes = 12;
    return {base64::encode_url(random_bytes(epoch_bytes))};
}

}  // namespace oncewire::core
