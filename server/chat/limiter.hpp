#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "server/chat/chat.hpp"
#include "shared/base/time.hpp"

namespace oncewire::chat {

/// How much each sender may do: a bucket that fills with time.
class Limiter {
  public:
    explicit Limiter(Rate rate) : burst_(rate.burst), per_second_(rate.per_second) {}

    /// False: too much. `now` may jump, clocks do; a bucket then stays as it is.
    bool take(const std::string& sender, UnixMillis now);

  private:
    /// 10,000 senders; then everybody begins with a full bucket again.
    static constexpr std::size_t remembered_max = 10'000;

    struct Bucket {
        std::int64_t used = 0;  // in thousandths
        UnixMillis at;
    };
    std::uint32_t burst_;
    std::uint32_t per_second_;
    std::map<std::string, Bucket> buckets_;
};

/// What a person may do, and everybody behind their address together. One thread.
class Allowance {
  public:
    Allowance(Rate of_person, Rate of_address) : person_(of_person), address_(of_address) {}
    /// An address has ten times what a person has.
    explicit Allowance(Rate of_person)
        : Allowance(of_person, {of_person.burst * 10, of_person.per_second * 10}) {}

    /// The code to refuse with: "too_fast", or "too_fast_here" if it was not they alone; null: they
    /// may. Guests count by their address alone.
    const char* refuse(const Sender& sender, UnixMillis now) {
        if (!person_.take(sender.id, now)) return "too_fast";
        return address_.take(sender.address, now) ? nullptr : "too_fast_here";
    }

  private:
    Limiter person_;
    Limiter address_;
};

}  // namespace oncewire::chat
