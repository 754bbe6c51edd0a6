#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "shared/base/verify.hpp"

namespace oncewire {

/// Random bytes the host drew from its entropy source, waiting to become ids.
///
/// A decider may not draw entropy, because a reproducible secret is not one; so the host tops the pool
/// up before each input and the decider takes from it. Running dry is our bug: `refill_bytes` covers
/// the ids that the largest input can ask for.
class SecretPool {
  public:
    static constexpr std::size_t refill_bytes = 4096;

    /// How many bytes the host should add now; 0 while more than half is left.
    std::size_t wanted() const { return bytes_.size() > refill_bytes / 2 ? 0 : refill_bytes; }
    void add(std::string_view random_bytes) { bytes_.append(random_bytes); }

    /// `count` bytes nobody was given before.
    std::string take(std::size_t count) {
        // The host fills it before each input, with more than any input takes.
        VERIFY(bytes_.size() >= count);
        std::string taken = bytes_.substr(bytes_.size() - count);
        bytes_.resize(bytes_.size() - count);
        return taken;
    }

  private:
    std::string bytes_;
};

}  // namespace oncewire
