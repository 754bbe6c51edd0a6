#pragma once

#include "server/hub/ids.hpp"

namespace oncewire::hub {

/// Takes what the peer of a connection has to say: for whoever has just told that peer something.
class Pump {
  public:
    Pump() = default;
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;
    /// Sockets of this connection may be over afterwards, and the connection too.
    virtual void pump(ConnectionId id) = 0;

  protected:
    ~Pump() = default;
};

}  // namespace oncewire::hub
