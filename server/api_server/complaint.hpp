#pragma once

#include <optional>
#include <string>

#include "server/options/server_options.hpp"

namespace oncewire::api {

/// What makes no sense in `options`, as a sentence; none: they can be used.
std::optional<std::string> complaint(const ServerOptions& options);

}  // namespace oncewire::api
