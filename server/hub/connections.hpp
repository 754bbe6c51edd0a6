#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/hub/networks.hpp"
#include "server/hub/options.hpp"
#include "server/hub/packed_request.hpp"
#include "server/hub/places.hpp"
#include "server/hub/timers.hpp"
#include "server/hub/turn.hpp"
#include "shared/base/text_hash.hpp"
#include "shared/peer/server_connection.hpp"

namespace oncewire::hub {

struct Connection {
    std::optional<peer::ServerConnection> peer;
    PackedRequest request;
    std::vector<SocketId> sockets;  // by peer::NamespaceIndex
    std::vector<SharedFrame> queue;
    std::uint64_t queue_bytes = 0;
    Networks::Share share;
    std::optional<Instant> slow_at;
    bool writing = false;     // a Write is out; the next waits for handle_written()
    bool dirty = false;       // its queue is to be written
    bool overflowed = false;  // its queue was dropped; nothing goes out any more
    bool reads_page = false;  // one of its sockets has asked for a page of the log: the others wait
};

/// The connections of one core, and what waits for their peers to read.
///
/// Promise: no more waits for a peer than its bounds; one Write at a time; a number is never valid for two. One
/// that is over is not found any more; it is known until its last outputs are taken from its peer.
class Connections {
  public:
    Connections(const Options& options, Turn& turn);

    /// `secret`: id_bytes of them, nobody else's.
    ConnectionId open(const Request& request, std::string secret);
    static constexpr std::size_t id_bytes = 15;  ///< 20 characters, as the reference's ids are
    /// See Hub::owner_of().
    static std::optional<std::uint16_t> owner_of(std::string_view engine_sid);

    Connection* find(ConnectionId id);
    const Connection* find(ConnectionId id) const {
        return const_cast<Connections*>(this)->find(id);
    }
    Connection* known(ConnectionId id) {
        return places_.is_taken(id) ? &connections_[Places::place_of(id)] : nullptr;
    }
    std::optional<ConnectionId> find_by_sid(std::string_view engine_sid) const;
    /// All that are known; `visit` may end them.
    template <class Visit>
    void for_each(Visit visit) {
        for (std::uint32_t place = 0; place < connections_.size(); ++place) {
            if (connections_[place].peer) visit(places_.id_at(place), connections_[place]);
        }
    }

    /// What may be dropped for slow readers, or what they ask for when they have room.
    void enqueue(Connection& connection, ConnectionId id, SharedFrame frame);
    /// What it is owed whether or not its peer reads. Too much of it ends the connection.
    void enqueue_or_end(Connection& connection, ConnectionId id, SharedFrame frame);
    void owe_more(Connection& connection, std::uint64_t bytes) {
        networks_.owe(connection.share, connection.share.owed_bytes + bytes);
    }
    /// `waiting_bytes`: before what is said to it next.
    bool owes_too_much(const Connection& connection, std::uint64_t waiting_bytes) const;
    /// From here on nobody finds it. What waited is dropped, and nothing follows: no part of it may pass for
    /// all. It is freed by whoever calls take_overflowed(), because we may be inside its pump, or among the
    /// members of a room.
    void end_overflowed(Connection& connection, ConnectionId id);
    std::optional<ConnectionId> take_overflowed();
    /// False: earlier answers should be taken first.
    bool has_room(const Connection& connection) const {
        return connection.queue_bytes <= options_.send_queue_bytes / 2;
    }

    /// Writes come last in a turn: by then everything it had to say is queued, and leaves in one go.
    std::optional<Write> poll_write();
    void handle_written(Connection& connection, ConnectionId id);
    /// Attachments wait for the last one of their packet: closes whoever lets more wait than its network may.
    void bound_collected(Connection& connection);
    /// One more CONNECT. False: too many, wait.
    bool pay_for_connect(Connection& connection);

    /// After anything that may have changed what it waits for.
    void set_timer(ConnectionId id);
    /// One whose deadline has come, which was told so. None: no more.
    std::optional<ConnectionId> handle_timeout();
    std::optional<Instant> next_timeout() const { return timers_.next(); }

    /// Its last outputs. What is queued goes out, unless a Write is out already: then the peer is slow or gone.
    void end(ConnectionId id, engineio::CloseReason reason);

  private:
    std::optional<Write> take_write(ConnectionId id);

    const Options& options_;
    Turn& turn_;
    Places places_;
    std::deque<Connection> connections_;  // by place; addresses stay
    std::unordered_map<std::string, ConnectionId, TextHash, std::equal_to<>>
        by_sid_;  // never iterated
    Timers timers_;
    Networks networks_;
    std::vector<ConnectionId> dirty_;
    std::size_t dirty_taken_ = 0;
    std::vector<ConnectionId> overflowed_;
};

}  // namespace oncewire::hub
