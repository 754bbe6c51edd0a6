#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "server/sequencer/words.hpp"

namespace oncewire::sequencer {

/// The sessions of stock clients that have a connection, and what was said lately about their rooms.
class LiveSessions {
  public:
    /// Null: this connection has none.
    const std::string* pid_of(const SessionRef& connection) const;
    /// Null: it has no connection.
    const SessionRef* connection_of(std::string_view pid) const;

    /// The session is this connection's from now on, and nobody else's.
    void open(const std::string& pid, const SessionRef& connection);
    void close(const std::string& pid);
    void clear();

    /// The room command with this number was applied to the session here. Each core reports once more what it did about
    /// its members.
    void note_command(std::string_view pid, const SessionEffect& effect, std::uint64_t number);
    /// Whether a newer command than `number` was applied to the session's place in the room, so that the report of this
    /// one must be ignored. 0: no command, but the core's own application.
    bool is_outdated(std::string_view pid, const std::string& room, std::uint64_t number);

  private:
    struct Live {
        SessionRef connection;
        std::map<std::string, std::uint64_t>
            commands;  // by room, the newest that nobody has reported
    };
    std::map<std::string, Live, std::less<>> live_;  // by pid
    std::map<SessionRef, std::string> pids_;
};

}  // namespace oncewire::sequencer
