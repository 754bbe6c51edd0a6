#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/hub/ids.hpp"
#include "server/mail/sequencer_mail.hpp"

namespace oncewire::hub {

/// Questions that only read: a few of one connection at a time, and a few more that wait.
class Lookups {
  public:
    explicit Lookups(std::set<std::string, std::less<>> events) : events_(std::move(events)) {}

    /// `data`: JSON array text, ["event", …args].
    bool is_lookup(std::string_view data) const;
    /// Takes one in, which wants an acknowledgement. None: it waits for next(); else why not.
    std::optional<store::Verdict> add(ConnectionId connection, mail::Submit submit);
    /// One that is under way from now on. None: nothing waits, or enough are under way.
    std::optional<mail::Submit> next(ConnectionId connection);
    /// It was answered. False: it is none of those under way.
    bool end(ConnectionId connection, SocketId socket, socketio::AckId ack_id);
    /// All of one socket, which is gone. True: some were under way.
    bool drop(ConnectionId connection, SocketId socket);
    /// Connections that had an answer since the last call; they may have the next one read for.
    std::vector<ConnectionId> take_answered() { return std::exchange(answered_, {}); }

  private:
    struct OfConnection {
        std::vector<std::pair<SocketId, socketio::AckId>> under_way;
        std::vector<mail::Submit> waiting;
    };
    using Connections = std::map<ConnectionId, OfConnection>;

    void forget_idle(Connections::iterator connection);

    std::set<std::string, std::less<>> events_;
    Connections connections_;  // those that have any
    std::vector<ConnectionId> answered_;
};

}  // namespace oncewire::hub
