#pragma once

#include "server/hub/hub_output.hpp"
#include "server/hub/reports.hpp"
#include "shared/base/output_queue.hpp"
#include "shared/base/time.hpp"

namespace oncewire::hub {

/// What the parts of one hub have in common: the moment of the input that is being obeyed, and what comes of it.
struct Turn {
    Instant now;
    OutputQueue<HubOutput> outputs;
    HubCounts counts;
};

}  // namespace oncewire::hub
