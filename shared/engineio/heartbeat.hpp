#pragma once

#include <cstdint>
#include <optional>

#include "shared/base/time.hpp"
#include "shared/engineio/handshake.hpp"

namespace oncewire::engineio {

enum class Role : std::uint8_t { server, client };

/// [EIO4 Heartbeat] The server pings after `ping_interval` of nothing owed and expects a pong within
/// `ping_timeout`; the client expects a ping every interval + timeout.
///
/// Exactly one deadline is alive at any time, also across an upgrade, which closes the reference's
/// zombie gap (a pong withheld during an upgrade is never asked for again). Works by elapsed time, not
/// by counting ticks, so a throttled or sleeping host is judged rightly.
class Heartbeat {
  public:
    Heartbeat(Role role, Timings timings, Instant now);

    /// Server: a pong came, asked for or not. Client: a ping came (the caller answers it).
    void handle_beat(Instant now);

    enum class Due : std::uint8_t { nothing, send_ping, peer_is_silent };
    /// What is due at `now`; a ping is taken as sent.
    Due handle_timeout(Instant now);
    Instant next_timeout() const { return deadline_; }

  private:
    Role role_;
    Timings timings_;
    bool awaiting_pong_ = false;  // server only
    Instant deadline_;
};

}  // namespace oncewire::engineio
