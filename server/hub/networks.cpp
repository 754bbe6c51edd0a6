#include "server/hub/networks.hpp"

#include <algorithm>

#include "shared/base/limits.hpp"

namespace oncewire::hub {
namespace {

/// So many networks without a connection, and as many as there are connections, are remembered.
constexpr std::size_t empty_networks_max = 64;

/// Each takes `price` of time, and so many go on credit. False: wait.
bool pay(Instant& paid_until, Millis price, std::uint32_t on_credit, Instant now) {
    const auto then = std::max(paid_until, now) + price;
    if (then > now + on_credit * price) return false;
    paid_until = then;
    return true;
}

}  // namespace

void Networks::enter(Share& share, const std::string& network) {
    share.network = &networks_[network];
    ++share.network->connections;
    ++connections_;
}

/// Whoever leaves and comes back goes on with what it has used up, so a network is kept a little longer.
void Networks::leave(Share& share, Instant now) {
    owe(share, 0);
    collect(share, 0);
    --share.network->connections;
    share.network = nullptr;
    if (networks_.size() > 2 * connections_ + empty_networks_max) {
        std::erase_if(networks_, [now](const auto& network) {
            return network.second.connections == 0 && network.second.connects_paid_until <= now;
        });
    }
    --connections_;
}

void Networks::owe(Share& share, std::uint64_t bytes) {
    share.network->owed_bytes += bytes - share.owed_bytes;
    share.owed_bytes = bytes;
}

bool Networks::collect(Share& share, std::uint64_t bytes) {
    const bool is_more = bytes > share.collected_bytes;
    share.network->collected_bytes += bytes - share.collected_bytes;
    share.collected_bytes = bytes;
    return !limits_.are_shared || !is_more ||
           share.network->collected_bytes <= limits_.collected_bytes;
}

bool Networks::owes_too_much(const Share& share) const {
    return limits_.are_shared && share.network->owed_bytes > limits_.owed_bytes;
}

bool Networks::pay_for_connect(Share& share, Instant now) {
    if (!pay(share.connects_paid_until, limits::connect_every, limits::connects_at_once, now))
        return false;
    return !limits_.are_shared ||
           pay(share.network->connects_paid_until, limits_.cores * limits::network_connect_every,
               limits::network_connects_at_once / limits_.cores, now);
}

}  // namespace oncewire::hub
