#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/api/application.hpp"
#include "server/chat/words.hpp"
#include "shared/base/result.hpp"

/// The chat: messages in places, who is there, who is writing. Written on the public API alone.
///
/// A place is a string: "chat" is where everybody is; "room/NAME" a room that somebody opened;
/// "user/ID" a person. What is written to a person is kept in the inboxes of its two readers, and an
/// inbox is read by its owner alone: live, in replay, in history and in search.
///
///   CONNECT auth  {"serverOffset": N}   replays what has an id beyond N (absent: everything)
///                 {"live": true}        replays nothing and hears of people; the rest comes by history
///                 {"rooms": ["room/x"]} also hears these
///                 {"away": true}        is not counted as here
///                 whatever Options::identify reads
///
/// Stored, once, answered with (null, {"id"}), or ({"id"}) where auth says {"oncewire:acks": "value"}:
///   "chat message" (text, clientOffset?)     → "chat message" (text, id, {at, key?, from?, name?})
///   "post" (place, {text}, {picture} or both) → "post" ({place, id, at, key?, from, name, text?,
///                                              picture?, width?, height?}); a picture is an id
///   "edit" (place, id, text or null)         → "edit" ({place, id, at, from, text}); null: taken back
///     by its author alone; and from then on the log has what it says now: the message comes with the
///     new text and {edited: id}, or taken back, with {gone: id}, "" for its text and no picture, at
///     the place it had; changes made before come without text. `id`: of the newest change.
///   "read" (person, id)                      → "read" ({from, id}) to that person
///   "open room" (name)                       → "room opened" ({name, id, at, from}) in "lobby"
/// Asked, with an ack (nothing is stored):
///   "history" (place, before or null, count) → {"entries": [[offset, event]], "more"}; newest first
///   "search" (place, text, before or null)   → {"entries", "edited": [id], "before": offset or null}
///   with "inbox" and "lobby" as further places
///   "see picture" (id)                       → {"type", "bytes"}; for whoever may read its message
/// Kept until it is posted or a day has passed, with an ack; again does no harm:
///   "picture" (id, bytes)                    id: 32 hexadecimal digits, drawn by the sender
/// Ephemeral:
///   "enter" (place, ack), "leave" (place), "rename" (name, ack), "token" (jwt, ack), "typing" (place),
///   "here" (boolean): whether it counts as here; "who" (place, ack) → {"ids", "count"} of those here who
///   are in that room, too
///   → "people" ({people: [{id, name}], count}) after CONNECT, then
///     "presence" ({joined: [{id, name}], left, renamed, count}) at most every 250 ms,
///     "typing" (place, {id, name}), "refused" ({error, message}): a hint that nobody was given
///   "echo" (value, ack)                      acks the value
namespace oncewire::chat {

/// Somebody, as far as the chat knows.
struct User {
    std::string id;    ///< lasting; empty: a guest, who is not listed and cannot be written to
    std::string name;  ///< as they want to be called
    bool may_rename = true;
    /// When this stops being true unless renewed.
    std::optional<UnixMillis> expires = {};
    /// What vouches for them, for Options::is_revoked; empty: nothing that could be taken away.
    std::string credential = {};
};

/// How often something may be done: at once, and each second in the long run.
struct Rate {
    std::uint32_t burst = 0;  ///< 0: any number
    std::uint32_t per_second = 1;
    std::uint32_t seconds = 1;  ///< `per_second` is for so many
};

/// Bytes of pictures; each counts as 4,096 at least.
struct PictureLimits {
    std::uint64_t in_all = 0;              ///< beyond it the oldest go; 0: no more are taken
    std::uint64_t of_person_each_day = 0;  ///< 0: any number, as in the next
    std::uint64_t of_network_each_day = 0;
    Millis keep{0};  ///< 0: until others need the room
};

struct Options {
    /// Who stands behind what CONNECT said (or "token", as {"token": …}). Called on every core's
    /// thread.
    using Identify =
        std::function<Result<User, api::Refusal>(const api::Json& auth, UnixMillis now)>;

    /// Whether what vouched for a session (User::credential) does so no longer. Asked for every session
    /// now and then; it ends. Called on every core's thread.
    using IsRevoked = std::function<bool(const std::string& credential)>;
    IsRevoked is_revoked = {};

    /// Everybody is a guest.
    Identify identify = [](const api::Json&, UnixMillis) -> Result<User, api::Refusal> {
        return User();
    };
    /// Somebody who reloads the page has not left.
    Millis grace{15'000};
    /// What a user may store.
    Rate messages;
    /// The same for everybody in one network (api::Handshake::network), guests too.
    Rate messages_of_network;
    /// Bytes that a user may store within a day, each message counting as 1,024 at least; 0: any number.
    std::uint64_t stored_of_person_each_day = 0;
    std::uint64_t stored_of_network_each_day = 0;
    /// Rooms a user may open; ten times that for a network. Everybody's list of rooms shows them.
    Rate rooms;
    /// A user's questions: pages of history, pictures; searches, which cost more; and what is told to
    /// all others: hints of typing, names, rooms entered; and fresh tokens. Ten times that for a network.
    Rate questions;
    Rate searches;
    Rate signals;
    /// CONNECTs of one network on one core; one under a name that is not here counts as five.
    Rate connects_of_network;
    /// None: the chat has no tables, and nobody can send pictures.
    std::optional<PictureLimits> pictures = {};
};

/// Registers everything of the chat.
void install_with(api::Application& application, Options options);
/// The same with guests only.
void install(api::Application& application);

}  // namespace oncewire::chat
