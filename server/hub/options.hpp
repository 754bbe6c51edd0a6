#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "shared/base/limits.hpp"
#include "shared/base/time.hpp"
#include "shared/engineio/session.hpp"

namespace oncewire::hub {

struct Options {
    std::uint16_t core = 0;
    std::uint16_t cores = 1;
    engineio::Timings timings;
    Millis connect_timeout{45'000};
    /// Announced to every client, and enforced here.
    std::uint32_t message_bytes_max = limits::message_bytes;
    /// Whether sessions that poll are told that they may move to a WebSocket.
    bool upgrades = true;
    /// False: Engine.IO alone; MessageArrived and send() instead of namespaces and events.
    bool speaks_socketio = true;
    /// Event names whose messages go to the sequencer instead of the application's hub handlers.
    std::vector<std::string> durable_events;
    /// Those of them that are only read for.
    std::set<std::string, std::less<>> lookups = {};
    /// Unmodified clients get a pid, and may come back as who they were.
    bool recovery = false;
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
