#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "server/options/server_options.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::hub {

struct Options {
    ServerOptions server = {};
    std::uint16_t core = 0;  ///< which one of server.cores
    /// False: Engine.IO alone; MessageArrived and send() instead of namespaces and events.
    bool speaks_socketio = true;
    /// Event names whose messages go to the sequencer instead of the application's hub handlers.
    std::vector<std::string> durable_events;
    /// Those of them that are only read for.
    std::set<std::string, std::less<>> lookups = {};
    /// What may wait for a slow reader before its cursor stays in the log and ephemeral traffic for it
    /// is dropped. Whoever lets four times as much wait, because answers are never dropped, is closed.
    std::uint64_t send_queue_bytes = limits::send_queue_bytes;
    /// Whether those who come from one network share bounds: how often they join namespaces, and how
    /// much may wait for them on all cores together.
    bool limits_networks = true;
    std::uint64_t network_queue_bytes = limits::network_queue_bytes;
    /// Likewise, but two messages at least.
    std::uint64_t network_attachments_bytes = limits::network_attachments_bytes;
};

}  // namespace oncewire::hub
