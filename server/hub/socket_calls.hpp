#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/hub/hub_output.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/position.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::hub {

struct Parts;

/// What the application says to one socket of this hub, and may ask about it. Belongs to the Hub and lives as
/// long; on its thread.
///
/// What is said to a socket that is over does nothing, also while its SocketGone is still to come.
class SocketCalls {
  public:
    explicit SocketCalls(Parts& parts) : parts_(&parts) {}

    struct AcceptOptions {
        std::vector<std::string> rooms;  ///< joined at once
        /// Entries of these rooms beyond this offset follow CONNECT, then live ones; none: live only.
        /// A tier-2 client's own position wins.
        std::optional<delivery::Offset> replay_after;
        /// Who the client proved to be; only the same may resume its session, or go on with its outbox.
        /// Empty: not asked.
        std::string user = {};
    };
    void accept(SocketId socket, AcceptOptions options, Instant now);
    void reject(SocketId socket, std::string_view error_json, Instant now);
    void join(SocketId socket, std::string_view room);
    void leave(SocketId socket, std::string_view room);
    /// What durable handlers are told of who sends: sequencer::Message::sender.
    void introduce(SocketId socket, std::string sender);
    /// Ephemeral; recorded for it where recovery is on.
    void emit(SocketId socket, std::string_view data,
              const std::vector<std::string>& attachments = {});
    void acknowledge(SocketId socket, socketio::AckId id, std::string_view data,
                     const std::vector<std::string>& attachments = {});
    /// Has the durable handler of this event run as if `socket` had sent it: SubmitSettled follows with
    /// the number, unless the socket is gone before. `data`: JSON array text, ["event", …args].
    std::uint64_t submit(SocketId socket, std::string_view data);
    void disconnect(SocketId socket, bool close_connection, Instant now);

    /// Of its connection; none for a socket that is gone.
    std::optional<Request> request_of(SocketId socket) const;
    /// Valid until the next input; empty for a socket that is gone.
    std::string_view sid_of(SocketId socket) const;
    /// Whose lane it proved to be, while it is connected; empty for stock clients.
    ProducerId producer_of(SocketId socket) const;
    /// Those of join() and leave() among them that are still to be done.
    std::vector<std::string> rooms_of(SocketId socket) const;

  private:
    Parts* parts_;
};

}  // namespace oncewire::hub
