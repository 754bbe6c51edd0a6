#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "server/hub/held_connects.hpp"
#include "server/hub/sockets.hpp"
#include "shared/socketio/packet.hpp"

namespace oncewire::hub {

/// What is said to one socket: into the queue of its connection, or held until its CONNECT is answered.
class SocketWriter {
  public:
    SocketWriter(const Options& options, Turn& turn, Connections& connections, Sockets& sockets,
                 HeldConnects& held)
        : options_(options),
          turn_(turn),
          connections_(connections),
          sockets_(sockets),
          held_(held) {}

    // `connection` is the socket's.

    /// What the log has, too, or may be lost.
    void enqueue(const Socket& socket, Connection& connection, SharedFrame frame);
    /// What is owed to it: too much of it ends the connection.
    void enqueue_or_end(const Socket& socket, Connection& connection, SharedFrame frame);
    /// Before what is said to this socket next.
    std::uint64_t waiting_bytes(const Socket& socket, const Connection& connection) const;
    /// In the presence of whoever is there; dropped for those who cannot take it now.
    void enqueue_ephemeral(const Socket& socket, Connection& connection,
                           const std::vector<SharedFrame>& frames, bool is_volatile);

    /// `socket` is known.
    void send_packet(const Socket& socket, const socketio::Packet& packet);

    // These do nothing for a socket that is over, or not connected yet.

    void send_event(SocketId id, std::string_view data,
                    const std::vector<std::string>& attachments);
    void send_ack(SocketId id, socketio::AckId ack_id, std::string_view data,
                  const std::vector<std::string>& attachments);
    void send_frames(SocketId id, const std::vector<SharedFrame>& frames);

  private:
    SocketId id_of(const Socket& socket, const Connection& connection) const {
        return connection.sockets[socket.index];
    }

    const Options& options_;
    Turn& turn_;
    Connections& connections_;
    Sockets& sockets_;
    HeldConnects& held_;
};

}  // namespace oncewire::hub
