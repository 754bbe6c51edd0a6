#pragma once

#include <optional>
#include <string_view>

#include "server/net/gate/http_message.hpp"

namespace oncewire::net {

/// Parses a head that passed the gate. None: Beast's parser disagrees with the gate, so refuse.
std::optional<HttpRequest> parse_head(std::string_view head);

}  // namespace oncewire::net
