#include "server/store/log_entry.hpp"

#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"
#include "shared/peer/capability.hpp"
#include "shared/socketio/packet.hpp"

namespace oncewire::store {

bool is_event(std::string_view data) {
    if (!json::is_valid(data, limits::json_depth)) return false;
    const auto name = json::first_element(data);
    if (!name) return false;
    if (json::kind_of(*name) == json::Kind::number) return true;
    const auto text = json::as_string(*name);
    return text && !socketio::is_reserved_event(*text) && !peer::is_delivery_event(*text);
}

}  // namespace oncewire::store
