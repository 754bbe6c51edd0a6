#pragma once

#include <string>
#include <string_view>

#include "server/hub/hub.hpp"

/// What handlers throw, as lines of a log.
namespace oncewire::core {

/// What `output` was for, and what the handler threw: `the handler of "chat message" failed: …`. `what`: of
/// the exception.
std::string failure_of(const hub::HubOutput& output, std::string_view what);

/// At most 1,000 bytes of it, without control characters: nobody's words make a second line.
std::string one_line(std::string_view text);

}  // namespace oncewire::core
