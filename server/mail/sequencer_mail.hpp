#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/mail/session_mail.hpp"
#include "server/store/log_entry.hpp"
#include "server/store/store.hpp"
#include "server/store/verdict.hpp"
#include "shared/base/limits.hpp"
#include "shared/delivery/dedupe.hpp"
#include "shared/delivery/producer.hpp"
#include "shared/socketio/packet.hpp"

/// The closed set of messages between hubs and the sequencer. They travel in FIFO order in each
/// direction between one hub and the sequencer; recovery leans on that (ARCHITECTURE.md, "Coming back").
namespace oncewire::mail {

// ---- hub to sequencer ---------------------------------------------------------------------------

/// A tier-2 client presents its producer. Answered by Attached or AttachRefused.
struct Attach {
    SessionRef from;
    delivery::ProducerIdentity identity;
    std::string user = {};  ///< who it proved to be; empty: nobody asked
    /// The smallest number it will send in this session.
    delivery::Sequence first = 1;
};

/// A durable message. Answered, after COMMIT, by Settled (producer) or Answered (ack id) — or by
/// Expect, Conflict, RetryLater or Cut, none of which is a verdict.
struct Submit {
    SessionRef from;
    std::string nsp;
    std::string data;   ///< JSON array text: ["event", …args]
    std::string scope;  ///< the session's lasting name, for ids that mean something only inside it

    /// Tier 2: who sends and as which message.
    struct ProducerKey {
        ProducerId id;
        delivery::ProducerEpoch epoch = 0;
        delivery::Sequence sequence = 0;
        delivery::Digest digest = 0;
        bool renumbered = true;  ///< it had another number once, or may have had
    };
    std::optional<ProducerKey> key;
    /// Stock clients: the acknowledgement they wait for, if any.
    std::optional<socketio::AckId> ack_id;
    std::string sender = {};  ///< what the application said of who it is
    /// The application's own words for this client: as long as a packet, where clients have a bound.
    bool is_applications = false;
    ProducerId producer = {};  ///< without a key: of the session it came from, if it has one
};

/// "I am a member of these rooms and have everything up to `after`." Answered by one Page.
struct ReadPage {
    SessionRef from;
    std::vector<std::string> rooms;
    delivery::Offset after = 0;
    /// It goes on where another connection ended: nothing from before it came into a room.
    bool resumes = false;
    /// Of the session that recovery knows it by; the sequencer fills it in.
    std::string pid = {};
};

/// The session is gone; nothing needs to be sent to it any more.
struct Detach {
    SessionRef from;
};

/// How an attempt at a task ended (RunTask). Not done: it is tried again after a while.
struct TaskEnded {
    std::uint64_t id = 0;
    bool is_done = true;
};

using ToSequencer = std::variant<Attach, Submit, ReadPage, Detach, TaskEnded, OpenSession,
                                 ChangeRooms, EndSession, Record, Relay>;

// ---- sequencer to reader ------------------------------------------------------------------------

/// What is only read: a page of the log, a lookup, and that a session is gone, whose questions need no answer.
using ToReader = std::variant<ReadPage, Submit, Detach>;

// ---- sequencer to hub ---------------------------------------------------------------------------

/// Where the log stands and whether it takes messages; sent to every core at start and at each change.
struct LogState {
    store::LogHead head;
    store::Durability durability = store::Durability::disk;
    bool accepts_writes = true;
    std::uint32_t message_bytes_max = limits::durable_message_bytes;  ///< what it rejects beyond
};

struct Attached {
    SessionRef to;
    delivery::ProducerEpoch epoch = 0;
    delivery::HighWater seen;
};

struct AttachRefused {
    SessionRef to;
    std::string reason;  ///< a short code: "bad_secret", "other_user"
};

/// Another session attached the same producer, so this link must be closed (R10). It is a zombie, or the
/// living one whom a late CONNECT of a zombie displaced: that one comes back and attaches again.
struct Fence {
    SessionRef to;
};

/// Committed entries, in order, the same for every core.
struct Published {
    std::shared_ptr<const std::vector<store::LogEntry>> entries;
};

/// The answer to ReadPage. Only the sequencer says `reached_head`: whatever is committed later follows as Published
/// in the same mailbox.
struct Page {
    SessionRef to;
    std::shared_ptr<const std::vector<store::LogEntry>> entries;
    /// Everything up to here has been looked at; read on from here. Before what was asked for if the
    /// reader claimed to be beyond the head: it has another history, and hears what is new in this one.
    delivery::Offset end = 0;
    /// What was recorded for it up to `end`; belongs between the entries by offset.
    std::vector<std::shared_ptr<const store::RecordedEvent>> recorded = {};
    /// Nothing committed lies beyond `end`: from now on live entries are enough.
    bool reached_head = false;
    bool failed = false;  ///< the store could not be read; ask again later
    bool lost = false;    ///< what it should read next is no longer kept; its session is over
    /// Not 0: of these rooms, entries from `after`+1 up to here were removed by retention (R12).
    delivery::Offset lost_to = 0;
    delivery::Offset after = 0;  ///< as asked for
    /// Not 0: those from here to there are no events that a client could read, and are left out. Everything
    /// before them was in the pages before this one.
    delivery::Offset unreadable_from = 0;
    delivery::Offset unreadable_to = 0;
};

/// Verdicts on `first`, `first`+1, … of this session's producer, durable.
struct Settled {
    SessionRef to;
    delivery::Sequence first = 0;
    std::vector<store::Verdict> verdicts;
};

/// The verdict on a stock client's message that asked for an ack.
struct Answered {
    SessionRef to;
    socketio::AckId ack_id = 0;
    store::Verdict verdict;
};

/// Work that a durable handler left, to be done now. Answered by TaskEnded; without an answer it is
/// given out again.
struct RunTask {
    store::TaskRow task;
};

/// The application asks this session's client something; the same again after each Attach until it ended.
struct Ask {
    SessionRef to;
    std::uint64_t number = 0;
    std::string data;  ///< JSON array text: ["event", …args]
};

/// Send from `sequence` on: something is missing (R4).
struct Expect {
    SessionRef to;
    delivery::Sequence sequence = 0;
};

/// `sequence` was used for another message (R9): renumber from it, beyond `last`.
struct Conflict {
    SessionRef to;
    delivery::Sequence sequence = 0;
    delivery::Sequence last = 0;
};

/// Nothing could be stored and nothing was consumed; keep it and send again after this long.
struct RetryLater {
    SessionRef to;
    std::optional<socketio::AckId> ack_id;
    Millis after{1000};
};

/// The outcome of this session's message is unknown (R3): close its connection; it comes back and asks.
struct Cut {
    SessionRef to;
};

using FromSequencer =
    std::variant<LogState, Attached, AttachRefused, Fence, Published, Page, Settled, Answered,
                 RunTask, Ask, Expect, Conflict, RetryLater, Cut, SessionOpened, Recorded, Relayed>;

}  // namespace oncewire::mail
