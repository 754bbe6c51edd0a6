#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shared/base/verify.hpp"

namespace oncewire::sim {

/// Counts through all lists of choices: the newest one with an alternative left takes it.
class Odometer {
  public:
    std::uint32_t choose(std::uint32_t n) {
        if (at_ == taken_.size()) taken_.push_back({0, n});
        VERIFY(taken_[at_].n == n);  // the same choices lead to the same world
        return taken_[at_++].value;
    }
    /// The next choice is a new one, not one that leads back to where the last list was left.
    bool is_at_end() const { return at_ == taken_.size(); }
    /// False: there is no further list.
    bool advance() {
        while (!taken_.empty() && taken_.back().value + 1 == taken_.back().n) taken_.pop_back();
        at_ = 0;
        if (taken_.empty()) return false;
        ++taken_.back().value;
        return true;
    }
    std::vector<std::uint32_t> list() const {
        std::vector<std::uint32_t> values;
        for (const auto& each : taken_) values.push_back(each.value);
        return values;
    }

  private:
    struct Taken {
        std::uint32_t value;
        std::uint32_t n;
    };
    std::vector<Taken> taken_;
    std::size_t at_ = 0;
};

}  // namespace oncewire::sim
