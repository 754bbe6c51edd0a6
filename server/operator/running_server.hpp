#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/hub/hub.hpp"
#include "server/net/gate/refusals.hpp"
#include "server/sequencer/sequencer.hpp"

namespace oncewire::ops {

/// What operators need of a server that runs. Any thread but one of the server's own.
class RunningServer {
  public:
    /// Something to do on the store's thread, in small steps: called between two batches until it says
    /// true. What is not done when the server stops is dropped.
    using Chore = std::function<bool(const sequencer::Sequencer&)>;

    virtual void add_chore(Chore chore) = 0;
    /// What all connections came to so far. Blocks for a moment.
    virtual hub::HubCounts hub_counts() = 0;
    virtual net::RefusalCounts refusals() = 0;  ///< likewise
    /// Of who reads beside the sequencer; zeros if nobody does.
    virtual sequencer::ReaderCounts reader_counts() const = 0;
    /// Who is connected and reads `room`, on all cores; none if one of them does not answer. Blocks likewise.
    virtual std::optional<std::vector<hub::RoomReader>> readers_of(const std::string& room,
                                                                   delivery::Offset offset) = 0;

  protected:
    ~RunningServer() = default;
};

}  // namespace oncewire::ops
