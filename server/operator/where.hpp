#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/hub/hub.hpp"
#include "server/store/whereabouts.hpp"
#include "shared/delivery/position.hpp"

namespace oncewire::ops {

/// Who is connected and reads the room of this entry; none: it cannot be said.
using ReadersOf =
    std::function<std::optional<std::vector<hub::RoomReader>>(const store::LogEntry& entry)>;

/// What became of a message, in lines for people. `readers`: empty if no server is running.
std::string where_text(const store::Whereabouts& found, const delivery::Epoch& epoch,
                       const ReadersOf& readers);

}  // namespace oncewire::ops
