#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/time.hpp"

/// What is told to operators of requests that are refused for their Host or Origin. No I/O.
namespace oncewire::net {

struct RefusalCounts {
    std::uint64_t hosts = 0;
    std::uint64_t origins = 0;
};

/// Counts them, and says of some what the operator would have to write to let them in. Anybody can be
/// refused as often as they like, so only so many lines are written.
class Refusals {
  public:
    enum class What : std::uint8_t { host, origin };

    /// The line to log; none: there were too many just now.
    std::optional<std::string> note(What what, std::string_view host, std::string_view origin,
                                    Instant now);
    const RefusalCounts& counts() const { return counts_; }

    /// 20 lines in a minute: who looks into the log finds every site that tries.
    static constexpr unsigned lines_max = 20;
    static constexpr Millis period{60'000};

  private:
    bool may_write(Instant now);

    RefusalCounts counts_;
    Instant period_end_;
    unsigned lines_ = 0;
};

}  // namespace oncewire::net
