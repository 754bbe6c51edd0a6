#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "server/hub/connections.hpp"
#include "server/mail/session_mail.hpp"
#include "shared/delivery/cursor.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::hub {

/// How a socket gets the log: see LogReaders, to whom this belongs.
struct LogReader {
    enum class State : std::uint8_t {
        absent,  ///< does not read the log, or not yet
        asked,   ///< a page is on its way; what is published meanwhile is in it or follows it
        paused,  ///< its send queue is full, another socket of its connection is being given a page, or
                 ///< the store could not be read: the cursor waits
        live,  ///< has everything up to the head
    };
    State state = State::absent;
    bool has_new_rooms = false;  ///< since the log was handed to it last
    delivery::Offset sent = 0;   ///< up to where the log was handed to it; its epoch is the log's
};

/// What a tier-2 client said of its outbox, as far as it matters after CONNECT.
struct Lane {
    ProducerId producer;
    delivery::ProducerEpoch epoch = 0;  ///< when it is attached
    bool answers = false;               ///< see peer::ClientCapability
    bool links = false;
    bool renumbered = false;
};

struct Socket {
    enum class State : std::uint8_t {
        asked,      ///< the application has not answered yet
        attaching,  ///< the sequencer has not answered yet
        connected,
    };
    State state = State::asked;
    bool is_recoverable = false;  // has a pid
    bool is_resumed = false;
    bool is_held = false;       // see HeldConnects
    bool wants_values = false;  // answers to durable events alone, without what says no error
    peer::NamespaceIndex index = 0;
    ConnectionId connection = 0;
    LogReader log;
    std::string sid;
    std::optional<Lane> lane;  // none: a stock client
    std::string sender;
    delivery::Anomalies noticed;  // what it was believed
    std::uint64_t mark = 0;       // visited by Audience::for_each() of this number
};

/// The sockets of one core: what Socket.IO calls a client in one namespace. As with connections one that is over
/// is not found any more, but known until it is removed.
class Sockets {
  public:
    Sockets(Connections& connections, Turn& turn, std::uint16_t core)
        : connections_(connections), turn_(turn), core_(core) {}

    SocketId add(ConnectionId connection, peer::NamespaceIndex index, std::string sid);
    void remove(SocketId id);

    Socket* find(SocketId id) {
        Socket* socket = known(id);
        return socket && connections_.find(socket->connection) ? socket : nullptr;
    }
    Socket* known(SocketId id) {
        return places_.is_taken(id) ? &sockets_[Places::place_of(id)] : nullptr;
    }
    /// All that are known.
    template <class Visit>
    void for_each(Visit visit) {
        for (std::uint32_t place = 0; place < sockets_.size(); ++place) {
            const SocketId id = places_.id_at(place);
            if (places_.is_taken(id)) visit(id, sockets_[place]);
        }
    }

    std::string_view namespace_of(const Socket& socket) {
        return connections_.known(socket.connection)->peer->namespace_name(socket.index);
    }
    /// Whose lane it proved to be, while it is connected; empty for stock clients.
    static ProducerId producer_of(const Socket& socket) {
        const bool is_known = socket.state == Socket::State::connected && socket.lane;
        return is_known ? socket.lane->producer : ProducerId();
    }
    /// As the sequencer calls it.
    mail::SessionRef ref(SocketId id) const { return {core_, id}; }

  private:
    Connections& connections_;
    Turn& turn_;
    std::uint16_t core_;
    Places places_;
    std::deque<Socket> sockets_;  // by place; addresses stay
};

}  // namespace oncewire::hub
