#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/hub/audience.hpp"
#include "server/hub/socket_writer.hpp"

namespace oncewire::hub {

/// How the log reaches the sockets that read it.
///
/// Promise: an entry reaches every socket that may read its room once and in order, over the live feed, pages,
/// or both, because one cursor per socket pulls from the log (R7).
class LogReaders {
  public:
    LogReaders(const Options& options, Turn& turn, Connections& connections, Sockets& sockets,
               Audience& audience, SocketWriter& writer)
        : options_(options),
          turn_(turn),
          connections_(connections),
          sockets_(sockets),
          audience_(audience),
          writer_(writer) {}

    const mail::LogState& log() const { return log_; }
    /// Where its head is, as JSON text.
    std::string quoted_head() const { return quoted_place(log_.head.offset); }

    // ---- what the sequencer says ----------------------------------------------------------------

    /// False: another history begins, so every connection must end.
    bool handle(const mail::LogState& state);
    void handle(const mail::Published& published);
    /// False: what it should read next is no longer kept, so its connection must end.
    bool handle(const mail::Page& page);
    /// A stored event that went to the log by Record. False: something before it was missed, and everybody
    /// reads it from the log, with this.
    bool note_recorded(delivery::Offset offset);

    // ---- one socket -----------------------------------------------------------------------------

    void go_live(Socket& socket) { socket.log.state = LogReader::State::live; }
    /// It reads what it has missed when the application has been told of it, see start_new().
    void start_later(SocketId id) { new_.push_back(id); }
    void start(SocketId id, Socket& socket);
    /// It has its page, or needs it no more.
    void stop(Socket& socket);
    /// A live event with a place in the log.
    void hand_over_recorded(Socket& socket, Connection& connection, delivery::Offset offset,
                            const std::vector<SharedFrame>& frames);

    // ---- when there is room, or time ------------------------------------------------------------

    /// The application has been told of all of them by now, so the rooms are those that it lets them into
    /// when they connect.
    void start_new();
    bool has_new() const { return !new_.empty(); }
    /// Those of this connection that wait.
    void resume(const Connection& connection);
    void handle_timeout();
    std::optional<Instant> next_timeout() const { return read_again_at_; }

    /// See Hub::readers_of().
    std::vector<RoomReader> readers_of(std::string_view room, delivery::Offset offset) const;

  private:
    /// An entry of the log as its readers get it, encoded when the first of each kind is met.
    struct EntryFrames {
        SharedFrame plain;
        SharedFrame linked;  // tells which entry came before
    };

    std::string quoted_place(delivery::Offset offset,
                             std::optional<delivery::Offset> before = std::nullopt) const;
    void tell_gaps(SocketId id, Socket& socket, const mail::Page& page);
    void take_page(Socket& socket, Connection& connection, const mail::Page& page);
    void hand_over(Socket& socket, Connection& connection, const store::LogEntry& entry,
                   EntryFrames& frames);
    void enqueue_entry(Socket& socket, Connection& connection, const store::LogEntry& entry,
                       EntryFrames& frames);
    void enqueue_recorded(Socket& socket, Connection& connection, delivery::Offset offset,
                          const std::vector<SharedFrame>& frames);
    SharedFrame encode_entry(const store::LogEntry& entry, bool is_linked) const;
    void tell_reached(Socket& socket, delivery::Offset offset);
    bool has_room(Socket& socket, const Connection& connection, delivery::Offset offset);
    void catch_up_everybody(delivery::Offset before);

    const Options& options_;
    Turn& turn_;
    Connections& connections_;
    Sockets& sockets_;
    Audience& audience_;
    SocketWriter& writer_;
    mail::LogState log_;
    std::optional<Instant> read_again_at_;  // the store could not be read
    std::vector<SocketId> new_;             // the application may be letting them into rooms yet
};

}  // namespace oncewire::hub
