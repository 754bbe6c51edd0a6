#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "server/chat/chat.hpp"
#include "shared/base/time.hpp"

namespace oncewire::chat {

/// How much each sender may do: a bucket that fills with time.
///
/// Remembers 10,000 senders at most. One more takes the place of whoever has used least, and what that
/// one has used: a crowd of newcomers makes room for itself alone, and nobody who has used up what they
/// had gets it again by being forgotten.
class Limiter {
  public:
    explicit Limiter(Rate rate);

    /// False: too much, and nothing is counted. `now` may jump, clocks do; a bucket then stays as it is.
    bool take(const std::string& sender, UnixMillis now, std::uint32_t count = 1);
    /// What they did has cost more than was known when it began: it is owed.
    void charge(const std::string& sender, UnixMillis now, std::uint32_t count);
    /// Where everybody may do any number, nobody is new.
    bool knows(const std::string& sender) const { return burst_ == 0 || full_at_.contains(sender); }

    static constexpr std::size_t remembered_max = 10'000;

  private:
    using Time = std::int64_t;  // in nanoseconds, of a clock that never goes back

    void tick(UnixMillis now);
    Time& find(const std::string& sender);
    void add(const std::string& sender, std::uint32_t count);

    std::uint32_t burst_;
    Time each_;  // how long until one more is there again
    Time clock_ = 0;
    UnixMillis ticked_at_;
    std::map<std::string, Time> full_at_;
    std::set<std::pair<Time, std::string_view>> by_use_;  // the same, least used first
};

/// What a person may do, and everybody in their network together. One thread.
class Allowance {
  public:
    Allowance(Rate of_person, Rate of_network) : person_(of_person), network_(of_network) {}
    /// A network has ten times what a person has.
    explicit Allowance(Rate of_person)
        : Allowance(of_person,
                    {of_person.burst * 10, of_person.per_second * 10, of_person.seconds}) {}

    /// The code to refuse with: "too_fast", or "too_fast_here" if it was not they alone; null: they
    /// may. Guests count by their network alone, which pays for each new name in it, too.
    const char* refuse(const Sender& sender, UnixMillis now, std::uint32_t count = 1);
    /// As Limiter::charge().
    void charge(const Sender& sender, UnixMillis now, std::uint32_t count);

  private:
    Limiter person_;
    Limiter network_;
};

}  // namespace oncewire::chat
