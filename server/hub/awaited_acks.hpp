#pragma once

#include <map>
#include <optional>
#include <vector>

#include "server/hub/ids.hpp"
#include "shared/base/time.hpp"
#include "shared/socketio/acks.hpp"

namespace oncewire::hub {

/// Events that many sockets are to acknowledge: who has not yet. An event is over when nobody is waited for, or
/// its time is; an id that is over is unknown here.
class AwaitedAcks {
  public:
    /// A new event, of which nobody is waited for yet.
    socketio::AckId begin(std::optional<Instant> deadline);
    /// Not twice for the same socket.
    void wait_for(socketio::AckId id, SocketId socket);
    /// False: it is not waited for. Unknown, repeated and late answers are allowed, and somebody else's.
    bool take(socketio::AckId id, SocketId socket);
    /// True, once: everybody answered, or is gone.
    bool end_if_complete(socketio::AckId id);
    /// The socket is gone. Those that waited for nobody else, and are over.
    std::vector<socketio::AckId> abandon(SocketId socket);
    /// Those whose time is over.
    std::vector<socketio::AckId> expire(Instant now);
    std::optional<Instant> next_timeout() const { return pending_.next_timeout(); }

  private:
    void forget(socketio::AckId id, SocketId socket);

    socketio::PendingAcks pending_;
    std::map<socketio::AckId, std::vector<SocketId>> waits_for_;
    std::map<SocketId, std::vector<socketio::AckId>> of_socket_;  // the same by socket
};

}  // namespace oncewire::hub
