#pragma once

#include <memory>
#include <utility>

namespace oncewire::net {

/// A place among the connections that may exist; given back when the last holder lets go. None where
/// nobody counts.
using Seat = std::shared_ptr<void>;

/// Held together.
inline Seat both(Seat a, Seat b) {
    return std::make_shared<std::pair<Seat, Seat>>(std::move(a), std::move(b));
}

}  // namespace oncewire::net
