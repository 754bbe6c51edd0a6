#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "server/mail/core_mail.hpp"
#include "server/mail/sequencer_mail.hpp"

/// What every letter is made of, for the codec: one list of members for writing and for reading.
namespace oncewire::mail::internal {

/// A pointer that is never null in this place.
template <class Pointer>
struct Required {
    Pointer& pointer;
};
template <class Pointer>
Required(Pointer&) -> Required<Pointer>;

/// The members of a T in their order, as references. Whoever adds a member to a letter and not to its list
/// is told so by a static_assert below.
template <class T>
struct Fields;

// ---- what they are made of ----------------------------------------------------------------------

template <>
struct Fields<SessionRef> {
    static auto of(auto& x) { return std::tie(x.core, x.session, x.node); }
};
template <>
struct Fields<Target> {
    static auto of(auto& x) { return std::tie(x.nsp, x.rooms, x.except); }
};
template <>
struct Fields<delivery::ProducerIdentity> {
    static auto of(auto& x) { return std::tie(x.id, x.secret); }
};
template <>
struct Fields<delivery::HighWater> {
    static auto of(auto& x) { return std::tie(x.last, x.last_digest); }
};
template <>
struct Fields<delivery::Epoch> {
    static auto of(auto& x) { return std::tie(x.text); }
};
template <>
struct Fields<delivery::Position> {
    static auto of(auto& x) { return std::tie(x.epoch, x.offset); }
};
template <>
struct Fields<UnixMillis> {
    static auto of(auto& x) { return std::tie(x.value); }
};
template <>
struct Fields<store::LogHead> {
    static auto of(auto& x) { return std::tie(x.epoch, x.offset); }
};
template <>
struct Fields<store::LogEntry> {
    static auto of(auto& x) {
        return std::tie(x.offset, x.room, x.room_seq, x.data, x.stored_at, x.before);
    }
};
template <>
struct Fields<store::RecordedEvent> {
    static auto of(auto& x) {
        return std::tie(x.offset, x.nsp, x.rooms, x.except, x.data, x.attachments, x.stored_at);
    }
};
template <>
struct Fields<store::Verdict> {
    static auto of(auto& x) { return std::tie(x.kind, x.body); }
};
template <>
struct Fields<store::TaskRow> {
    static auto of(auto& x) { return std::tie(x.id, x.key, x.name, x.payload); }
};

// ---- hub to sequencer ---------------------------------------------------------------------------

template <>
struct Fields<Attach> {
    static auto of(auto& x) { return std::tie(x.from, x.identity, x.user, x.first); }
};
template <>
struct Fields<Submit::ProducerKey> {
    static auto of(auto& x) { return std::tie(x.id, x.epoch, x.sequence, x.digest, x.renumbered); }
};
template <>
struct Fields<Submit> {
    static auto of(auto& x) {
        return std::tie(x.from, x.nsp, x.data, x.scope, x.key, x.ack_id, x.sender,
                        x.is_applications, x.producer);
    }
};
template <>
struct Fields<ReadPage> {
    static auto of(auto& x) { return std::tie(x.from, x.rooms, x.after, x.resumes, x.pid); }
};
template <>
struct Fields<Detach> {
    static auto of(auto& x) { return std::tie(x.from); }
};
template <>
struct Fields<TaskEnded> {
    static auto of(auto& x) { return std::tie(x.id, x.is_done); }
};
template <>
struct Fields<OpenSession::Claim> {
    static auto of(auto& x) { return std::tie(x.pid, x.offset); }
};
template <>
struct Fields<OpenSession> {
    static auto of(auto& x) {
        return std::tie(x.from, x.nsp, x.user, x.rooms, x.sid, x.pid, x.claim, x.reads_after);
    }
};
template <>
struct Fields<ChangeRooms> {
    static auto of(auto& x) { return std::tie(x.from, x.room, x.joins, x.letter); }
};
template <>
struct Fields<EndSession> {
    static auto of(auto& x) { return std::tie(x.from, x.is_final); }
};
template <>
struct Fields<Record> {
    static auto of(auto& x) { return std::tie(x.from, x.event, x.is_direct); }
};
template <>
struct Fields<SessionEffect> {
    static auto of(auto& x) { return std::tie(x.rooms, x.except, x.joined, x.left, x.ends); }
};
template <>
struct Fields<Relay> {
    static auto of(auto& x) { return std::tie(x.from, x.letter, x.effect); }
};

// ---- sequencer to hub ---------------------------------------------------------------------------

template <>
struct Fields<LogState> {
    static auto of(auto& x) {
        return std::tie(x.head, x.durability, x.accepts_writes, x.message_bytes_max);
    }
};
template <>
struct Fields<Attached> {
    static auto of(auto& x) { return std::tie(x.to, x.epoch, x.seen); }
};
template <>
struct Fields<AttachRefused> {
    static auto of(auto& x) { return std::tie(x.to, x.reason); }
};
template <>
struct Fields<Fence> {
    static auto of(auto& x) { return std::tie(x.to); }
};
template <>
struct Fields<Published> {
    static auto of(auto& x) { return std::make_tuple(Required{x.entries}); }
};
template <>
struct Fields<Page> {
    static auto of(auto& x) {
        return std::tuple_cat(std::tie(x.to), std::make_tuple(Required{x.entries}), std::tie(x.end),
                              std::make_tuple(Required{x.recorded}),
                              std::tie(x.reached_head, x.failed, x.lost, x.lost_to, x.after,
                                       x.unreadable_from, x.unreadable_to));
    }
};
template <>
struct Fields<Settled> {
    static auto of(auto& x) { return std::tie(x.to, x.first, x.verdicts); }
};
template <>
struct Fields<Answered> {
    static auto of(auto& x) { return std::tie(x.to, x.ack_id, x.verdict); }
};
template <>
struct Fields<RunTask> {
    static auto of(auto& x) { return std::tie(x.task); }
};
template <>
struct Fields<Ask> {
    static auto of(auto& x) { return std::tie(x.to, x.number, x.data); }
};
template <>
struct Fields<Expect> {
    static auto of(auto& x) { return std::tie(x.to, x.sequence); }
};
template <>
struct Fields<Conflict> {
    static auto of(auto& x) { return std::tie(x.to, x.sequence, x.last); }
};
template <>
struct Fields<RetryLater> {
    static auto of(auto& x) { return std::tie(x.to, x.ack_id, x.after); }
};
template <>
struct Fields<Cut> {
    static auto of(auto& x) { return std::tie(x.to); }
};
template <>
struct Fields<SessionOpened> {
    static auto of(auto& x) {
        return std::tie(x.to, x.pid, x.sid, x.rooms, x.position, x.is_resumed, x.reason);
    }
};
template <>
struct Fields<Recorded> {
    static auto of(auto& x) { return std::tie(x.from, x.event, x.is_direct, x.is_stored); }
};
template <>
struct Fields<Relayed> {
    static auto of(auto& x) { return std::tie(x.from, x.letter, x.number); }
};

// ---- between hubs -------------------------------------------------------------------------------

template <>
struct Fields<Broadcast> {
    static auto of(auto& x) { return std::tie(x.target, x.data, x.attachments, x.is_volatile); }
};
template <>
struct Fields<JoinRooms> {
    static auto of(auto& x) { return std::tie(x.target, x.rooms); }
};
template <>
struct Fields<LeaveRooms> {
    static auto of(auto& x) { return std::tie(x.target, x.rooms); }
};
template <>
struct Fields<DisconnectSockets> {
    static auto of(auto& x) { return std::tie(x.target, x.close_connection); }
};
template <>
struct Fields<ServerSideEmit> {
    static auto of(auto& x) { return std::tie(x.from, x.nsp, x.data); }
};
template <>
struct Fields<CoreQuestion> {
    static auto of(auto& x) {
        return std::tie(x.from, x.number, x.kind, x.target, x.data, x.attachments, x.timeout);
    }
};
template <>
struct Fields<CoreAnswer> {
    static auto of(auto& x) { return std::tie(x.from, x.number, x.data, x.attachments, x.is_last); }
};
template <>
struct Fields<CoreMail> {
    static auto of(auto& x) {
        return std::tuple_cat(std::tie(x.stage), std::make_tuple(Required{x.command}));
    }
};

// ---- nothing is forgotten -----------------------------------------------------------------------

/// Stands for a member of any type, in a braced list that nobody evaluates.
struct Anything {
    template <class T>
    operator T() const;
};

template <class T, class... Members>
constexpr std::size_t member_count() {
    if constexpr (requires { T{Members()..., Anything()}; }) {
        return member_count<T, Members..., Anything>();
    } else {
        return sizeof...(Members);
    }
}

template <class T>
constexpr bool has_all_members() {
    return std::tuple_size_v<decltype(Fields<T>::of(std::declval<T&>()))> == member_count<T>();
}

template <class Variant>
struct AllMembers;
template <class... Letters>
struct AllMembers<std::variant<Letters...>>
    : std::bool_constant<(has_all_members<Letters>() && ...)> {};

static_assert(AllMembers<ToSequencer>() && AllMembers<ToReader>() && AllMembers<FromSequencer>() &&
              AllMembers<CoreCommand>());
static_assert(
    AllMembers<std::variant<SessionRef, Target, delivery::ProducerIdentity, delivery::HighWater,
                            delivery::Epoch, delivery::Position, UnixMillis, store::LogHead,
                            store::LogEntry, store::RecordedEvent, store::Verdict, store::TaskRow,
                            Submit::ProducerKey, OpenSession::Claim, SessionEffect, CoreMail>>());

}  // namespace oncewire::mail::internal
