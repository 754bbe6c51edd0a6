#pragma once

#include <cstdint>
#include <string_view>

#include "server/hub/lookups.hpp"
#include "server/hub/socket_writer.hpp"

namespace oncewire::hub {

/// Durable messages and lookups on their way to the sequencer, and what it says of them.
class Submissions {
  public:
    Submissions(const Options& options, Turn& turn, Connections& connections, Sockets& sockets,
                SocketWriter& writer)
        : options_(options),
          turn_(turn),
          connections_(connections),
          sockets_(sockets),
          writer_(writer),
          lookups_(options.lookups) {}

    // ---- in -------------------------------------------------------------------------------------

    /// Whether an event of this name is stored, or read for.
    bool takes(std::string_view event) const;
    /// Such an event of a stock client: stored by whatever id its arguments carry.
    void submit(SocketId id, const Socket& socket, socketio::Packet packet);
    /// A message of an outbox. False: its client broke the protocol.
    bool submit_keyed(SocketId id, const Socket& socket, const socketio::Packet& packet);
    /// See SocketCalls::submit().
    std::uint64_t submit_for_application(SocketId id, std::string_view data);

    // ---- lookups --------------------------------------------------------------------------------

    /// As many as may be under way, unless earlier answers have not been taken yet.
    void send_lookups(ConnectionId id);
    /// Those that waited until an answer was queued.
    void send_next_lookups();
    /// The socket is over. True: the sequencer knows of lookups of it, and should hear that nobody waits.
    bool drop_lookups(SocketId id, const Socket& socket);

    // ---- what the sequencer says ----------------------------------------------------------------

    void handle(const mail::Settled& settled);
    void handle(const mail::Answered& answered);
    void handle(const mail::Expect& expect);
    void handle(const mail::Conflict& conflict);
    void handle(const mail::RetryLater& later);
    void handle(const mail::Ask& ask);

  private:
    void send(ConnectionId connection, mail::Submit submit);
    void look_up(ConnectionId connection, mail::Submit submit);
    bool end_lookup(const mail::SessionRef& to, std::optional<socketio::AckId> ack_id);

    const Options& options_;
    Turn& turn_;
    Connections& connections_;
    Sockets& sockets_;
    SocketWriter& writer_;
    Lookups lookups_;
    std::uint64_t newest_ = 0;  // of the application's own
};

}  // namespace oncewire::hub
