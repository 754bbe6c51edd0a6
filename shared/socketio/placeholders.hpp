#pragma once

#include <cstdint>
#include <string_view>

namespace oncewire::socketio {

/// [SIO5 Packet encoding] True if every object in `data` whose `_placeholder` is true names one of
/// `count` attachments by an integer `num`. `data` must be valid JSON no deeper than
/// limits::json_depth. Placeholders may repeat, come in any order, or be absent. One pass, no recursion.
bool are_placeholders_good(std::string_view data, std::uint32_t count);

}  // namespace oncewire::socketio
