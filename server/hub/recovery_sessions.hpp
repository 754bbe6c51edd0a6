#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/hub/audience.hpp"
#include "server/hub/held_connects.hpp"
#include "shared/base/secret_pool.hpp"

namespace oncewire::hub {

/// What the sequencer is told of stock clients' sessions where recovery is on, so that they may come back as who
/// they were. Where it is off nothing here does anything.
class RecoverySessions {
  public:
    RecoverySessions(const Options& options, Turn& turn, SecretPool& secrets, Sockets& sockets,
                     Audience& audience, HeldConnects& held)
        : options_(options),
          turn_(turn),
          secrets_(secrets),
          sockets_(sockets),
          audience_(audience),
          held_(held) {}

    /// The application is being asked about this socket: what its client says of an earlier session is kept.
    void note_claim(SocketId id, std::string_view auth);
    /// It was accepted. Answered by SessionOpened. `reads_after`: see SocketCalls::AcceptOptions.
    void open(SocketId id, Socket& socket, std::string user,
              std::optional<delivery::Offset> reads_after);
    /// `room`: without namespace. `command`: number of the Relayed that said so; 0: this core's application.
    void note_room(SocketId id, std::string_view room, bool joined, std::uint64_t command = 0);
    void end(SocketId id, const Socket& socket, socketio::DisconnectReason reason);

  private:
    struct Claim {
        std::string pid;  // if the session turns out to be new
        std::optional<mail::OpenSession::Claim> earlier;
    };

    const Options& options_;
    Turn& turn_;
    SecretPool& secrets_;
    Sockets& sockets_;
    Audience& audience_;
    HeldConnects& held_;
    std::map<SocketId, Claim> claims_;  // until the application has answered
};

}  // namespace oncewire::hub
