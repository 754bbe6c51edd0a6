#include "server/hub/places.hpp"

namespace oncewire::hub {

std::uint64_t Places::take() {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(places_.size()));
        places_.emplace_back();
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    places_[place].is_taken = true;
    return id_at(place);
}

void Places::give_back(std::uint64_t id) {
    Place& place = places_[place_of(id)];
    place.is_taken = false;
    ++place.generation;
    free_.push_back(place_of(id));
}

}  // namespace oncewire::hub
