#pragma once

#include <memory>

namespace oncewire::net {

/// A place among the connections that may exist; given back when the last holder lets go. None where
/// nobody counts.
using Seat = std::shared_ptr<void>;

}  // namespace oncewire::net
