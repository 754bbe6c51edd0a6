#pragma once

#include <string>

#include "server/hub/hub.hpp"
#include "server/net/gate/refusals.hpp"
#include "server/sequencer/sequencer.hpp"
#include "server/store/store.hpp"

namespace oncewire::ops {

/// What `--status` tells, in Prometheus' text format (0.0.4): of all hubs together, of what HTTP
/// refused, and of the store. The last is for the store's thread.
std::string metrics_of(const hub::HubCounts& counts);
std::string metrics_of(const net::RefusalCounts& counts);
/// `apart`: of who reads beside the sequencer.
std::string metrics_of(const sequencer::Sequencer& sequencer, const sequencer::ReaderCounts& apart,
                       const store::Store& store);

}  // namespace oncewire::ops
