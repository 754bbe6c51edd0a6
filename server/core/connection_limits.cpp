#include "server/core/connection_limits.hpp"

#include <memory>

#include "server/net/gate/address.hpp"

namespace oncewire::core {

std::optional<net::Seat> ConnectionLimits::take(const std::string& address) {
    if (!begin(true, &address)) return std::nullopt;
    return std::shared_ptr<void>(this, [this, address](void*) { end(true, &address); });
}

std::optional<net::Seat> ConnectionLimits::take_for_proxy() {
    if (!begin(true, nullptr)) return std::nullopt;
    return std::shared_ptr<void>(this, [this](void*) { end(true, nullptr); });
}

std::optional<net::Seat> ConnectionLimits::take_by_proxy(const std::string& address) {
    if (!begin(false, &address)) return std::nullopt;
    return std::shared_ptr<void>(this, [this, address](void*) { end(false, &address); });
}

bool ConnectionLimits::begin(bool takes_place, const std::string* address) {
    const std::lock_guard lock(mutex_);
    if (takes_place && taken_ >= options_.in_all) return false;
    if (address && !count(*address)) return false;
    taken_ += takes_place ? 1 : 0;
    return true;
}

void ConnectionLimits::end(bool takes_place, const std::string* address) {
    const std::lock_guard lock(mutex_);
    taken_ -= takes_place ? 1 : 0;
    if (address) give_back(*address);
}

bool ConnectionLimits::has_room_for_session(bool takes_place) {
    const std::lock_guard lock(mutex_);
    const std::uint32_t free = options_.in_all - taken_;
    return free >= options_.in_all / kept_back + (takes_place ? 1 : 0);
}

bool ConnectionLimits::count(const std::string& address) {
    if (!options_.of_one_address) return true;
    const std::string network = net::network_of(address);
    const std::string site = net::site_of(address);
    if (!add(network, *options_.of_one_address)) return false;
    if (site == network) return true;
    if (add(site, std::uint64_t{addresses_of_one_site} * *options_.of_one_address)) return true;
    subtract(network);
    return false;
}

void ConnectionLimits::give_back(const std::string& address) {
    if (!options_.of_one_address) return;
    const std::string network = net::network_of(address);
    const std::string site = net::site_of(address);
    subtract(network);
    if (site != network) subtract(site);
}

/// Whoever may have none at all leaves no trace.
bool ConnectionLimits::add(const std::string& counted, std::uint64_t most) {
    const auto found = taken_by_.find(counted);
    const std::uint32_t own = found == taken_by_.end() ? 0 : found->second;
    if (own >= most) return false;
    taken_by_[counted] = own + 1;
    return true;
}

void ConnectionLimits::subtract(const std::string& counted) {
    const auto found = taken_by_.find(counted);
    if (found != taken_by_.end() && --found->second == 0) taken_by_.erase(found);
}

}  // namespace oncewire::core
