#pragma once

#include <string>
#include <vector>

namespace oncewire::mail {

/// Whom a broadcast is for: members of any of `rooms` (none named: everybody in the namespace) who are
/// in none of `except`. Each gets it once. Every session is alone in a room named like its sid, so that
/// one session is a target, too.
struct Target {
    std::string nsp = "/";
    std::vector<std::string> rooms;
    std::vector<std::string> except;
    bool operator==(const Target&) const = default;
};

}  // namespace oncewire::mail
