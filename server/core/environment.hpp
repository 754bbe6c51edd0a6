#pragma once

#include <cstddef>
#include <string>

#include "shared/base/time.hpp"
#include "shared/delivery/position.hpp"

/// What only the host may ask the system for: the deciders are given it.
namespace oncewire::core {

Instant monotonic_now();
UnixMillis wall_clock_now();
/// From the kernel's generator. Waits, at boot only, until it is seeded.
std::string random_bytes(std::size_t count);
/// For a history that begins: 96 random bits.
delivery::Epoch new_epoch();

}  // namespace oncewire::core
