#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "server/chat/chat.hpp"

namespace oncewire::chat {

/// Which people are in which room, on one core.
class Attendance {
  public:
    void add(const std::string& place, const std::string& id) { ++rooms_[place][id]; }
    void remove(const std::string& place, const std::string& id);
    /// Ids, at most 200, and how many there are: {"ids", "count"}.
    api::Json in(const std::string& place) const;
    std::size_t rooms() const { return rooms_.size(); }

    static constexpr std::size_t listed_max = 200;

  private:
    std::map<std::string, std::map<std::string, std::uint32_t>>
        rooms_;  // sessions of each; none is empty
};

/// What several cores know of one room, as one: whoever is on two of them counts once, as far as they are
/// listed.
api::Json merged(const std::vector<api::Json>& lists);

}  // namespace oncewire::chat
