#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/hub/hub_output.hpp"

namespace oncewire::hub {

// What the application said that is not recorded, and must not overtake what is.

struct EnterRoom {
    SocketId socket = 0;
    std::string log_room;
};
struct LeaveRoom {
    SocketId socket = 0;
    std::string log_room;
};
struct SendEvent {
    SocketId socket = 0;
    std::string data;  ///< JSON array text
    std::vector<std::string> attachments;
};
struct SendAck {
    SocketId socket = 0;
    socketio::AckId id = 0;
    std::string data;  ///< JSON array text
    std::vector<std::string> attachments;
};
struct SendFrames {
    SocketId socket = 0;
    std::vector<SharedFrame> frames;
};
struct SendBroadcast {
    mail::Broadcast command;
};
struct AnswerConnect {
    SocketId socket = 0;
};
struct EndSocket {
    SocketId socket = 0;
    bool close_connection = false;
};
using Deferred = std::variant<EnterRoom, LeaveRoom, SendEvent, SendAck, SendFrames, SendBroadcast,
                              AnswerConnect, EndSocket>;

/// Keeps the order between what goes through the sequencer (Record, Relay) and what does not: the latter waits
/// until all that was sent before it has come back. Where recovery is off nothing is sent, so nothing waits.
class Barrier {
  public:
    /// One more goes to the sequencer.
    void note_sent() { ++sent_; }
    /// One came back, in the order they were sent.
    void note_back() { ++back_; }
    /// Some have not come back: what is said now must be deferred.
    bool is_closed() const { return back_ < sent_; }
    void defer(Deferred deferred) { deferred_.push_back({sent_, std::move(deferred)}); }
    /// The next whose turn has come. None: the others wait.
    std::optional<Deferred> take();

    /// What join() and leave() promised the application, whenever it becomes true. `rooms`: without namespace.
    void add_deferred_rooms(SocketId socket, std::vector<std::string>& rooms) const;

  private:
    struct Waiting {
        std::uint64_t after = 0;  // so many have come back
        Deferred deferred;
    };

    std::uint64_t sent_ = 0;
    std::uint64_t back_ = 0;
    std::deque<Waiting> deferred_;
};

}  // namespace oncewire::hub
