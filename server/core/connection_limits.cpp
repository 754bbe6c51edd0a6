#include "server/core/connection_limits.hpp"

#include <memory>

namespace oncewire::core {
namespace {

/// As Asio writes addresses; IPv4 may come as IPv6 on a socket that takes both.
bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

}  // namespace

std::optional<net::Seat> ConnectionLimits::take(const std::string& address) {
    if (!count(address)) return std::nullopt;
    return std::shared_ptr<void>(this, [this, address](void*) { give_back(address); });
}

bool ConnectionLimits::count(const std::string& address) {
    const std::lock_guard lock(mutex_);
    if (taken_ >= options_.in_all) return false;
    if (!is_loopback(address)) {
        std::uint32_t& own = taken_by_[address];
        if (own >= options_.of_one_address) return false;
        ++own;
    }
    ++taken_;
    return true;
}

void ConnectionLimits::give_back(const std::string& address) {
    const std::lock_guard lock(mutex_);
    --taken_;
    const auto found = taken_by_.find(address);
    if (found != taken_by_.end() && --found->second == 0) taken_by_.erase(found);
}

}  // namespace oncewire::core
