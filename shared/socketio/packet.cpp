#include "shared/socketio/packet.hpp"

#include <algorithm>
#include <array>

namespace oncewire::socketio {

bool is_reserved_event(std::string_view name) {
    constexpr std::array<std::string_view, 6> reserved = {
        "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
    };
    return std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

}  // namespace oncewire::socketio
