#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/peer/client.hpp"

namespace oncewire::client_wasm {

/// One output of the Client as the page reads it: a JSON object with a `type`. Arguments that came
/// from the wire are spliced in as the text they are, so JSON.parse meets them exactly once.
struct PageEvent {
    std::string json;
    std::vector<std::string> attachments;  ///< `json` lists their sizes
};

/// None for outputs that are the host's own work (links and frames).
std::optional<PageEvent> page_event(peer::ClientOutput output);

}  // namespace oncewire::client_wasm
