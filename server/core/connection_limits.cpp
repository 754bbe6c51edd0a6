#include "server/core/connection_limits.hpp"

#include <memory>

#include "server/net/gate/address.hpp"

namespace oncewire::core {

std::optional<net::Seat> ConnectionLimits::take(const std::string& address) {
    const auto counted = begin(true, &address);
    if (!counted) return std::nullopt;
    return net::Seat(this, [this, counted = *counted](void*) { end(true, counted); });
}

std::optional<net::Seat> ConnectionLimits::take_for_proxy() {
    if (!begin(true, nullptr)) return std::nullopt;
    return net::Seat(this, [this](void*) { end(true, nullptr); });
}

std::optional<net::Seat> ConnectionLimits::take_by_proxy(const std::string& address) {
    const auto counted = begin(false, &address);
    if (!counted) return std::nullopt;
    return net::Seat(this, [this, counted = *counted](void*) { end(false, counted); });
}

/// As whose it is counted, if as anybody's. None: there is no place left.
std::optional<ConnectionLimits::Counted*> ConnectionLimits::begin(bool takes_place,
                                                                  const std::string* address) {
    const std::lock_guard lock(mutex_);
    if (takes_place && taken_ >= options_.in_all) return std::nullopt;
    const auto counted = address ? count(*address) : std::optional<Counted*>(nullptr);
    if (counted) taken_ += takes_place ? 1 : 0;
    return counted;
}

void ConnectionLimits::end(bool takes_place, Counted* counted) {
    const std::lock_guard lock(mutex_);
    taken_ -= takes_place ? 1 : 0;
    if (counted) subtract(counted);
}

bool ConnectionLimits::has_room_for_session(bool takes_place) {
    const std::lock_guard lock(mutex_);
    const std::uint32_t free = options_.in_all - taken_;
    return free >= options_.in_all / kept_back + (takes_place ? 1 : 0);
}

std::optional<ConnectionLimits::Counted*> ConnectionLimits::count(const std::string& address) {
    if (!options_.of_one_address) return nullptr;
    const std::string network = net::network_of(address);
    const std::string site = net::site_of(address);
    Counted* counted = add(network, *options_.of_one_address);
    if (!counted) return std::nullopt;
    if (site == network) return counted;
    Counted* site_counted =
        add(site, std::uint64_t{addresses_of_one_site} * *options_.of_one_address);
    // Of a network that has somebody already, another holds it, and the same one is held now.
    if (site_counted) {
        counted->site = site_counted;
        return counted;
    }
    --counted->taken;
    if (counted->taken == 0) taken_by_.erase(std::string(*counted->name));
    return std::nullopt;
}

/// None: it has all that it may have. Whoever may have none at all leaves no trace.
ConnectionLimits::Counted* ConnectionLimits::add(const std::string& name, std::uint64_t most) {
    const auto found = taken_by_.find(name);
    if ((found == taken_by_.end() ? 0 : found->second.taken) >= most) return nullptr;
    const auto counted = taken_by_.try_emplace(name).first;
    counted->second.name = &counted->first;
    ++counted->second.taken;
    return &counted->second;
}

void ConnectionLimits::subtract(Counted* counted) {
    Counted* site = counted->site;
    if (--counted->taken == 0) taken_by_.erase(std::string(*counted->name));
    if (site) subtract(site);
}

}  // namespace oncewire::core
