#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/base/limits.hpp"
#include "shared/base/time.hpp"
#include "shared/delivery/cursor.hpp"
#include "shared/delivery/dedupe.hpp"
#include "shared/delivery/position.hpp"
#include "shared/delivery/producer.hpp"

/// Tier 2 on the wire: a capability object inside the CONNECT payload, then ordinary EVENT packets with
/// reserved names. A stock peer ignores the object, and then none of the rest is ever sent.
///
///   client  CONNECT   {…auth, "oncewire":{"version":1,"answers":true,"links":true,
///                       "renumbered":true,"producer":P,"secret":S,"position":"e.o","first":8}}
///   server  CONNECT   {"sid":…,"oncewire":{"version":1,"epoch":7,"last":3,"digest":D,
///                       "position":"e.o","window":1024,"messageBytes":65536,"durability":"disk",
///                       "links":true,"renumbered":true}}
///   client  EVENT     ["oncewire:send",sequence,digest,["event",…args]]
///                     …and ,1 behind it, where both said "renumbered", if it had another number once
///                     …with ["oncewire:too_large"] for an entry of more than messageBytes, or that
///                     nests deeper than message_depth
///   server  EVENT     ["oncewire:verdicts",first,[[0,body],[1,error],…]]     0 accepted, 1 rejected
///   server  EVENT     ["oncewire:expect",sequence]             send from here on
///   server  EVENT     ["oncewire:conflict",sequence,last]      it needs a number beyond last
///   server  EVENT     ["oncewire:gap",from,to]                 entries in there are gone for good
///   server  EVENT     ["oncewire:later",milliseconds]          nothing was stored; send again then
///   server  EVENT     [event,…args,"e.o.before"]               an entry of the log, where both said
///                                                              "links"; else only "e.o"
///   server  EVENT     ["oncewire:reached",offset]              nothing up to there is still to come
///   client  EVENT     ["oncewire:noticed",holes,repeated,late] since it said so last
///   server  EVENT     ["oncewire:ask",number,["event",…args]]  to be answered by a message, see
///                                                              delivery/answer.hpp
namespace oncewire::peer {

inline constexpr std::uint64_t capability_version = 1;

/// What a tier-2 client says in CONNECT.
struct ClientCapability {
    delivery::ProducerIdentity producer;
    std::optional<delivery::Position> position;  ///< none: from wherever the application starts
    bool answers = true;                         ///< knows what AskEvent is; the first ones did not
    bool links = true;  ///< wants LinkedPositions, and ReachedEvent; the first ones did not
    /// The smallest number that it will send. What a server lacks before it went with another history.
    delivery::Sequence first = 1;
    bool renumbered = true;  ///< says so in SendEvent; the first ones did not
    bool operator==(const ClientCapability&) const = default;
};

/// What the server answers.
struct ServerCapability {
    delivery::ProducerEpoch epoch = 0;
    delivery::HighWater seen;
    delivery::Position position;  ///< reading starts here; another epoch than asked: stream changed
    std::uint32_t window = 0;
    std::uint32_t message_bytes_max = 0;
    std::string durability;
    bool links = false;  ///< gives LinkedPositions where they are wanted, and takes NoticedEvent
    bool renumbered = false;  ///< takes SendEvent::renumbered
    bool operator==(const ServerCapability&) const = default;
};

/// `auth`: JSON object text of the application (or empty); the result carries both.
std::string add_capability(std::string_view auth, const ClientCapability& capability);
/// From a CONNECT payload; none if absent, of another version, or malformed (then the peer is tier 0).
std::optional<ClientCapability> find_client_capability(std::string_view connect_data);

/// The CONNECT answer: `{"sid":…}` plus the capability if given.
std::string encode_connect_answer(std::string_view sid,
                                  const std::optional<ServerCapability>& capability);
/// The CONNECT answer of a server that lets unmodified clients come back: `pid` is what they show then,
/// empty if nothing is kept of them; `not_recovered` says why this one was not who it claims to be, for
/// clients that ask: `{"sid":…,"pid":…,"notRecovered":"expired"}`.
std::string encode_session_answer(std::string_view sid, std::string_view pid,
                                  std::string_view not_recovered);
std::optional<ServerCapability> find_server_capability(std::string_view connect_data);

/// 63: nesting of one durable message. The event it travels in is the level around it.
inline constexpr std::uint32_t message_depth = limits::json_depth - 1;

/// The events above, told apart by name. Slices point into the event's text.
struct SendEvent {
    delivery::Sequence sequence = 0;
    delivery::Digest digest = 0;
    std::string_view message;  ///< JSON array text, a valid event
    /// OutboxEntry::renumbered; said only to a server that takes it.
    bool renumbered = false;
};
struct WireVerdict {
    bool accepted = false;
    std::string_view body;  ///< JSON text
};
struct VerdictsEvent {
    delivery::Sequence first = 0;
    std::vector<WireVerdict> verdicts;
};
struct ExpectEvent {
    delivery::Sequence sequence = 0;
};
struct ConflictEvent {
    delivery::Sequence sequence = 0;
    delivery::Sequence last = 0;
};
struct LaterEvent {
    Millis after{0};
};
/// Some entries with offsets from `from` to `to` were removed before this reader had them (R12).
struct GapEvent {
    delivery::Offset from = 0;
    delivery::Offset to = 0;
};
/// Nothing up to `offset` that this reader may see is still to come. Said when it came into a room: what
/// was there before is not missing.
struct ReachedEvent {
    delivery::Offset offset = 0;
};
/// What the client noticed since it said so last.
struct NoticedEvent {
    delivery::Anomalies anomalies;
};
/// The application of the server asks this client something. Numbers grow, with holes; the same number
/// may come again at each attach, and is the same question.
struct AskEvent {
    std::uint64_t number = 0;
    std::string_view message;  ///< JSON array text, a valid event
};

/// True for every event name this protocol keeps for itself ("oncewire:…"); applications may not use
/// them, and from a peer without the capability they are ordinary events.
bool is_delivery_event(std::string_view event_name);

std::string encode(const SendEvent& event);
std::string encode(const VerdictsEvent& event);
std::string encode(const ExpectEvent& event);
std::string encode(const ConflictEvent& event);
std::string encode(const LaterEvent& event);
std::string encode(const GapEvent& event);
std::string encode(const AskEvent& event);
std::string encode(const ReachedEvent& event);
std::string encode(const NoticedEvent& event);

/// `data`: JSON array text of an event whose name is a delivery event. None: malformed, which from a
/// peer that negotiated the capability is a violation.
std::optional<SendEvent> decode_send(std::string_view data);
std::optional<NoticedEvent> decode_noticed(std::string_view data);
using ServerDeliveryEvent = std::variant<VerdictsEvent, ExpectEvent, ConflictEvent, LaterEvent,
                                         GapEvent, AskEvent, ReachedEvent>;
std::optional<ServerDeliveryEvent> decode_delivery_event(std::string_view data);

}  // namespace oncewire::peer
