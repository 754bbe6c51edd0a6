#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shared/base/time.hpp"

namespace oncewire::chat {

/// How much each sender may store: a bucket that fills with time.
class Limiter {
  public:
    /// `burst` 0: no limit.
    Limiter(std::uint32_t burst, std::uint32_t per_second)
        : burst_(burst), per_second_(per_second) {}

    /// False: too much. `now` may jump, clocks do; a bucket then stays as it is.
    bool take(const std::string& sender, UnixMillis now);

  private:
    /// 10,000 senders; then everybody begins with a full bucket again.
    static constexpr std::size_t remembered_max = 10'000;

    struct Bucket {
        std::int64_t used = 0;  // thousandths of a message
        UnixMillis at;
    };
    std::uint32_t burst_;
    std::uint32_t per_second_;
    std::map<std::string, Bucket> buckets_;
};

}  // namespace oncewire::chat
