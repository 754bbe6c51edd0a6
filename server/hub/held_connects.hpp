#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/hub/hub_output.hpp"

namespace oncewire::hub {

/// Answers to CONNECT that wait until the rooms are stored which the connection handlers gave their sockets:
/// whoever has the answer may find the server killed the next moment, and come back to a session that is in
/// them. What is said to such a socket waits, too: an unmodified client keeps what comes before the answer,
/// also when its link ends in between, and would show it beside what the next session is told.
///
/// Only stock clients where recovery is on, and only new sessions.
class HeldConnects {
  public:
    struct Held {
        std::string answer;
        bool has_new_rooms = false;
        std::vector<SharedFrame> frames;
        std::uint64_t frame_bytes = 0;
    };

    void hold(SocketId socket, std::string answer);
    /// Said to a socket that is held.
    void add(SocketId socket, SharedFrame frame);
    std::uint64_t bytes_of(SocketId socket) const { return held_.at(socket).frame_bytes; }
    /// A room of it is on its way to the store. Nothing if it is not held.
    void note_room(SocketId socket);
    /// None: it is not held, or not any more.
    const Held* find(SocketId socket) const;
    std::optional<Held> take(SocketId socket);
    /// Held since the last call; some may be gone again.
    std::vector<SocketId> take_new() { return std::exchange(new_, {}); }
    bool has_new() const { return !new_.empty(); }

  private:
    std::map<SocketId, Held> held_;
    std::vector<SocketId> new_;
};

}  // namespace oncewire::hub
