#pragma once

#include <optional>

#include "server/hub/audience.hpp"
#include "server/hub/awaited_acks.hpp"
#include "server/hub/barrier.hpp"
#include "server/hub/connections.hpp"
#include "server/hub/held_connects.hpp"
#include "server/hub/log_readers.hpp"
#include "server/hub/options.hpp"
#include "server/hub/ordered_commands.hpp"
#include "server/hub/peer_outputs.hpp"
#include "server/hub/recovery_sessions.hpp"
#include "server/hub/socket_lifecycle.hpp"
#include "server/hub/socket_writer.hpp"
#include "server/hub/sockets.hpp"
#include "server/hub/submissions.hpp"
#include "server/hub/turn.hpp"
#include "shared/base/secret_pool.hpp"

namespace oncewire::hub {

/// What a hub is made of: for Hub and its two faces. A part knows those before it, by references.
struct Parts {
    explicit Parts(Options given) : options(std::move(given)) {}

    Options options;
    SecretPool secrets;
    Turn turn;
    std::optional<Instant> wake_at;  // asked for by the application

    Connections connections{options, turn};
    Sockets sockets{connections, turn, options.core};
    Audience audience{connections, sockets};
    HeldConnects held;
    SocketWriter writer{options, turn, connections, sockets, held};
    LogReaders readers{options, turn, connections, sockets, audience, writer};
    AwaitedAcks acks;
    Barrier barrier;
    Submissions submissions{options, turn, connections, sockets, writer};
    RecoverySessions recovery{options, turn, secrets, sockets, audience, held};
    // These two need each other: what a peer says ends sockets, and what ends a socket is said to its peer.
    PeerOutputs peers{turn, connections, sockets, lifecycle, submissions, acks};
    SocketLifecycle lifecycle{{options, turn, secrets, connections, sockets, audience, held,
                               readers, barrier, acks, submissions, recovery, peers}};
    OrderedCommands commands{
        {options, turn, audience, writer, readers, barrier, recovery, lifecycle}};
};

}  // namespace oncewire::hub
