#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/mail/core_mail.hpp"
#include "server/store/sessions.hpp"
#include "shared/delivery/position.hpp"

/// What hubs and the sequencer say to each other where recovery of unmodified clients is on.
namespace oncewire::mail {

/// One namespace session somewhere: its number there, on which core of which node. Never reused within a run.
struct SessionRef {
    std::uint16_t core = 0;
    std::uint64_t session = 0;
    std::uint32_t node = 0;  ///< 0: this process
    auto operator<=>(const SessionRef&) const = default;
};

// ---- hub to sequencer ---------------------------------------------------------------------------

/// A client was let in. Answered by SessionOpened, after COMMIT: whoever has the answer can come back.
struct OpenSession {
    SessionRef from;
    std::string nsp;
    std::string user;                ///< who it proved to be; empty: nobody asked
    std::vector<std::string> rooms;  ///< log_room() names, those of everybody and of its sid too
    std::string sid;                 ///< for a new session
    std::string pid;                 ///< the same

    /// The client says that it was here before.
    struct Claim {
        std::string pid;
        std::optional<std::string> offset;  ///< none: it received nothing
    };
    std::optional<Claim> claim = {};
    /// The history it is given begins behind this; none: it asked for none. A session that comes back
    /// before it has read all of it goes on where its client was.
    std::optional<delivery::Offset> reads_after = {};
};

/// A session came into a room or left it.
struct ChangeRooms {
    SessionRef from;
    std::string room;
    bool joins = false;  ///< else it left
    /// Number of the letter (Relayed) that said so; 0: its own core's application did.
    std::uint64_t letter = 0;
};

/// The connection is gone. The session can be resumed, unless somebody meant it to end.
struct EndSession {
    SessionRef from;
    bool is_final = false;
};

/// An event to be recorded, and to reach its audience in the order of the log. Answered by Recorded, to
/// every core.
struct Record {
    std::uint16_t from = 0;
    store::RecordedEvent event;  ///< offset and stored_at are filled in
    bool is_direct = false;      ///< to one session, whose application knows already
};

/// What a letter to all cores means for sessions that are away.
struct SessionEffect {
    std::vector<std::string> rooms;  ///< whom it is for, as RecordedEvent
    std::vector<std::string> except;
    std::vector<std::string> joined = {};
    std::vector<std::string> left = {};
    bool ends = false;
};

/// A letter to all cores that must not overtake what its sender recorded before; comes as Relayed to
/// every core, the sender's too.
struct Relay {
    std::uint16_t from = 0;
    std::shared_ptr<const CoreCommand> letter;  ///< null: only to know that all before it is kept
    std::optional<SessionEffect> effect = {};
};

// ---- sequencer to hub ---------------------------------------------------------------------------

struct SessionOpened {
    SessionRef to;
    std::string pid;  ///< empty: nothing is kept of it
    std::string sid;
    /// Log_room() names of all it is in; empty if the session is new: as it asked.
    std::vector<std::string> rooms = {};
    delivery::Position position;  ///< beyond this it has seen nothing
    bool is_resumed = false;
    /// Why a claim was not granted: "unknown", "expired", "too_much", "bad_offset", "unavailable".
    std::string reason = {};
};

/// In the place of the log where it belongs.
struct Recorded {
    std::uint16_t from = 0;
    /// Null for one whose outcome is unknown, and which may yet be found in the log.
    std::shared_ptr<const store::RecordedEvent> event;
    bool is_direct = false;
    /// False: could not be stored; for whoever is there, and nobody can resume across it.
    bool is_stored = true;
};

struct Relayed {
    std::uint16_t from = 0;
    std::shared_ptr<const CoreCommand> letter;
    std::uint64_t number = 0;  ///< of this letter, counted from 1
};

}  // namespace oncewire::mail
