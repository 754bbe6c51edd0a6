#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace oncewire::hub {

/// Numbers for things that come and go: see ids.hpp.
class Places {
  public:
    /// The place that became free last, or a new one behind all others.
    std::uint64_t take();
    /// Its number is never valid again.
    void give_back(std::uint64_t id);
    bool is_taken(std::uint64_t id) const {
        const std::uint32_t place = place_of(id);
        return place < places_.size() && places_[place].is_taken &&
               places_[place].generation == id >> 32;
    }
    std::uint64_t id_at(std::uint32_t place) const {
        return static_cast<std::uint64_t>(places_[place].generation) << 32 | place;
    }
    static std::uint32_t place_of(std::uint64_t id) { return static_cast<std::uint32_t>(id); }

  private:
    struct Place {
        std::uint32_t generation = 0;
        bool is_taken = false;
    };
    std::deque<Place> places_;
    std::vector<std::uint32_t> free_;
};

}  // namespace oncewire::hub
