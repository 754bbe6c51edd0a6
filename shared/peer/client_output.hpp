#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "shared/base/frame.hpp"
#include "shared/base/output_queue.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/cursor.hpp"
#include "shared/delivery/outbox.hpp"
#include "shared/delivery/position.hpp"
#include "shared/engineio/packet.hpp"
#include "shared/socketio/disconnect_reason.hpp"
#include "shared/socketio/packet.hpp"

/// What a Client wants done, and what it has to tell.
namespace oncewire::peer {

/// One way to the server, numbered from 1: a WebSocket, or the long-polling of one session. Frames and
/// closings of older links are ignored (R10).
using LinkId = std::uint32_t;
/// One namespace of this client, in order of open_namespace().
using NamespaceIndex = std::uint32_t;

/// Which promise is in force for what this namespace sends durably.
enum class Guarantee : std::uint8_t { at_most_once, at_least_once, exactly_once };

// ---- outputs: to the host -----------------------------------------------------------------------

/// WebSocket: open one, for the session `sid` if that is not empty; report handle_link_opened() or
/// handle_link_closed(). Polling: nothing to do; SendRequest follows.
struct OpenLink {
    LinkId link = 0;
    engineio::TransportKind transport = engineio::TransportKind::websocket;
    std::string sid;
};
struct SendFrame {
    LinkId link = 0;
    Frame frame;
};
/// One HTTP request of a polling link: a POST if it has a body. Report handle_response().
struct SendRequest {
    LinkId link = 0;
    std::string sid;  ///< empty: a new session is asked for
    std::optional<std::string> body;
};
/// Close it; nothing more is wanted from it. Polling: give up the GET, let the POSTs go on.
struct CloseLink {
    LinkId link = 0;
};
/// A CONNECT is due: call provide_auth(), now or later.
struct AskAuth {
    NamespaceIndex index = 0;
};
/// Store in one strictly durable transaction, then call handle_saved(token): erase first, then put.
///
/// If storage refuses, tell the application and report it all the same, so that the message travels
/// unsaved; keep the change for the next transaction. Except where it replaces entries that storage
/// holds (renumbered, taken back): try until it lands, or a reload would send them again as they were.
struct Save {
    NamespaceIndex index = 0;
    std::uint64_t token = 0;
    std::vector<delivery::Sequence> erase;
    std::vector<delivery::OutboxEntry> put;
    delivery::Sequence next_sequence = 1;
};

// ---- outputs: to the application ----------------------------------------------------------------

struct Connected {
    NamespaceIndex index = 0;
    std::string sid;
    std::string pid;         ///< empty if the server gave none
    bool recovered = false;  ///< the session goes on: nothing was missed
    std::string
        not_recovered;  ///< why a server of ours could not go on with it; empty: it says nothing
    Guarantee guarantee = Guarantee::at_most_once;
};
/// Refused by the server (`refused`), or the link could not be opened.
struct ConnectFailed {
    NamespaceIndex index = 0;
    bool refused = false;
    std::string error;  ///< JSON object text with `message` and perhaps `data`
};
struct Disconnected {
    NamespaceIndex index = 0;
    socketio::DisconnectReason reason = socketio::DisconnectReason::transport_close;
    std::string detail;  ///< as in LinkClosed
};
/// An attempt at a session begins; what set_options() says before the next output is asked for still
/// holds for it.
struct AttemptBegun {};
/// An Engine.IO session begins.
struct LinkOpened {
    engineio::TransportKind transport = engineio::TransportKind::websocket;
    std::string sid;
};
/// The session goes on over a WebSocket.
struct LinkUpgraded {};
/// The server asked whether we are there, and was answered.
struct Pinged {};
/// An attempt at a session came to nothing. `error`: JSON object text with `message` and perhaps
/// `status`, the HTTP status.
struct AttemptFailed {
    std::string error;
};
/// A session that was open failed; its end follows.
struct LinkFailed {
    std::string error;  ///< as in AttemptFailed
};
/// The session ended, or was not to be opened any more. `detail`: JSON object text with `description` (a transport that closed) or
/// `error` (as in AttemptFailed); empty where the reason says it all.
struct LinkClosed {
    socketio::DisconnectReason reason = socketio::DisconnectReason::transport_close;
    std::string detail;
};
/// Every attempt that was allowed has failed.
struct GaveUp {};
/// The link is down; the next attempt follows by itself after `delay`.
struct Reconnecting {
    std::uint32_t attempt = 0;
    Millis delay{0};
};
/// An event, in order. With a position it came from the log and is handed on exactly once: the cursor
/// has moved already (R6), and the position is not among the arguments.
struct EventArrived {
    NamespaceIndex index = 0;
    std::string data;  ///< JSON array text: ["event", …args]
    std::vector<std::string> attachments;
    std::optional<socketio::AckId> ack_id;  ///< answer with acknowledge()
    std::optional<delivery::Position> position;
    /// Answer with Client::answer(), now or after any number of links: the server asks again until then.
    /// Handed on once, and again by the next Client of the lane if storage does not hold an answer.
    std::optional<delivery::Position> question = {};
};
/// The answer to an emit that asked for one.
struct AckArrived {
    NamespaceIndex index = 0;
    socketio::AckId id = 0;
    std::string data;  ///< JSON array text
    std::vector<std::string> attachments;
};
/// There will be no answer.
struct AckLost {
    enum class Why : std::uint8_t { timed_out, disconnected, too_large };
    NamespaceIndex index = 0;
    socketio::AckId id = 0;
    Why why = Why::timed_out;
};
enum class MessageState : std::uint8_t { saving, queued, sent };
/// A durable message moved on; the end of its way is MessageSettled.
struct MessageMoved {
    NamespaceIndex index = 0;
    delivery::Sequence sequence = 0;
    MessageState state = MessageState::saving;
};
/// The final word on a durable message: it left the outbox.
struct MessageSettled {
    NamespaceIndex index = 0;
    delivery::Sequence sequence = 0;
    bool accepted = false;
    std::string body;  ///< JSON text: the handler's answer, or the rejection
    /// Not accepted, because nobody knows any more: see delivery::outcome_unknown.
    bool is_unknown = false;
};
/// Browser storage was rolled back; the entry goes on under another number.
struct MessageRenumbered {
    NamespaceIndex index = 0;
    delivery::Sequence before = 0;
    delivery::Sequence after = 0;
};
/// The log was replaced: what was shown belongs to another history; everything arrives anew.
struct StreamChanged {
    NamespaceIndex index = 0;
    delivery::Position from;
    delivery::Position to;
};
/// Some entries with offsets from `from` to `to` were removed before they could be had: the continuity of
/// what was shown is lost there, and goes on behind (R12).
struct HistoryLost {
    NamespaceIndex index = 0;
    delivery::Offset from = 0;
    delivery::Offset to = 0;
};
/// The log came otherwise than it is promised, on a living link. A hole ends the link, and the next one
/// brings what was missing; the others are dropped. `anomalies`: since this Client began.
struct Noticed {
    NamespaceIndex index = 0;
    delivery::Anomalies anomalies;
};
/// The server takes no messages for now; they stay queued.
struct ServerBusy {
    NamespaceIndex index = 0;
    Millis after{0};
};

using ClientOutput =
    std::variant<OpenLink, SendFrame, SendRequest, CloseLink, AskAuth, Save, Connected,
                 ConnectFailed, Disconnected, AttemptBegun, LinkOpened, LinkUpgraded, Pinged,
                 AttemptFailed, LinkFailed, LinkClosed, GaveUp, Reconnecting, EventArrived,
                 AckArrived, AckLost, MessageMoved, MessageSettled, MessageRenumbered,
                 StreamChanged, HistoryLost, Noticed, ServerBusy>;
using ClientOutputs = OutputQueue<ClientOutput>;

}  // namespace oncewire::peer
