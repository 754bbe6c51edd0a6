#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/limits.hpp"
#include "shared/base/result.hpp"
#include "shared/delivery/dedupe.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::delivery {

/// One message on its way: the unit of persistence.
struct OutboxEntry {
    Sequence sequence = 0;
    Digest digest = 0;
    std::string message;  ///< JSON array text: ["event", …args]
    /// It had another number once, and may be known under that.
    bool renumbered = false;
    bool operator==(const OutboxEntry&) const = default;
};

/// What a cancelled entry becomes: its verdict is "accepted", and nobody hears of it.
inline constexpr std::string_view cancelled_message = R"(["oncewire:cancelled"])";

/// What goes on the wire in the place of an entry that has become too large for the receiver. It keeps
/// number and digest, so the receiver gives the verdict: the one it gave before, or a rejection.
inline constexpr std::string_view too_large_message = R"(["oncewire:too_large"])";

/// Why push() took nothing. All three are for the user to see at once.
enum class OutboxError : std::uint8_t {
    entries_full,  ///< wait for some to be delivered
    bytes_full,    ///< likewise
    too_large,     ///< the server will not take it; shorten it
};

/// Messages this side has accepted and the peer has not yet given a verdict on, oldest first.
///
/// Promise: a pushed message is offered by next() again and again until settle() names it or the
/// application cancels it (R14), always in sequence order, never before saved() said that it is safe
/// (R5). A window of messages is in flight; the receiver accepts only the next sequence, which keeps
/// order under any loss. Used by the browser, and by the server for what it asks a client (Tx::ask).
///
/// Knows nothing of sockets, storage or clocks.
class Outbox {
  public:
    struct Limits {
        std::uint32_t entries_max = 100'000;
        std::uint64_t bytes_max = 64u << 20;
        std::uint32_t message_bytes_max = limits::durable_message_bytes;
        std::uint32_t window = limits::window;
        std::uint32_t window_bytes = limits::window_bytes;
    };

    /// `salt`: from the host's entropy, new at each start (see digest()).
    Outbox(Limits limits, std::uint64_t salt);

    /// What the host found in storage: entries in sequence order, and the counter. Call once, first.
    void restore(Sequence next_sequence, std::vector<OutboxEntry> entries);

    /// Takes over delivery of what the host numbered and stored itself, behind all that is here.
    void take(OutboxEntry entry);

    /// Takes over delivery of `message`. The host now stores find(sequence) and next_sequence() in one
    /// transaction and then calls saved().
    Result<Sequence, OutboxError> push(std::string message);
    /// Entry `sequence` is stored (or storage refused and the application was told "not saved").
    void saved(Sequence sequence);

    /// The message to send now, if the window has room; one always may go, however large. Marks it in
    /// flight until it is settled or link_lost(). The pointer is valid until the next non-const call.
    const OutboxEntry* next();

    /// How many may be in flight; the receiver announces it at attach.
    void set_window(std::uint32_t window) { limits_.window = window; }

    /// The largest message the receiver takes, likewise (R17). Entries that are larger stay, and are
    /// offered as too_large_message.
    void set_message_bytes(std::uint32_t bytes) { limits_.message_bytes_max = bytes; }
    bool is_too_large(const OutboxEntry& entry) const {
        return entry.message.size() > limits_.message_bytes_max;
    }

    /// The link is gone: everything in flight will be offered again, in order. Returns what was.
    std::vector<Sequence> link_lost() { return rewind(0); }
    /// The receiver asks to send from `sequence` on. Returns what was in flight from there.
    std::vector<Sequence> rewind(Sequence sequence);
    /// Entry `sequence` has its verdict: it leaves. False is normal: a late or repeated verdict.
    bool settle(Sequence sequence);
    /// Takes back entry `sequence`, if it cannot have reached the receiver. Its number stays in use, by
    /// a message that says so (cancelled_message), because the receiver accepts no holes. The host
    /// stores find(sequence) again, then calls saved(). False: too late, or unknown.
    bool cancel(Sequence sequence);

    /// Entries that took new numbers; the host stores the change in one transaction and then calls
    /// saved() for each new number. In order.
    struct Renumbered {
        Sequence before;
        Sequence after;
    };
    /// What the receiver has seen of us, told at attach (R9). The counter continues right behind it or
    /// behind what is pending. A receiver that lost what was before our entries (its database was
    /// replaced by an older one) has been told first() and goes on from there; one that does not know
    /// that word would wait for the missing numbers for ever, so entries are renumbered.
    /// Until all up to `seen.last` are settled next() offers nothing beyond: one of them may turn out to
    /// be a conflict, and then what follows must not have been accepted under its old number.
    std::vector<Renumbered> attached(const HighWater& seen);
    /// `sequence` does not stand for this message at the receiver, which has given numbers up to `last` a
    /// meaning: our storage was rolled back (R9). The entry waits for renumber_conflicts().
    void conflict(Sequence sequence, Sequence last);
    /// Entries that met a conflict take new numbers, and those that follow with them, once all that the
    /// receiver may know under their numbers are settled: a message that it has keeps its number, for
    /// under another one it could be stored again when nobody remembers its first.
    std::vector<Renumbered> renumber_conflicts();

    /// The smallest number that will be offered from here on.
    Sequence first() const {
        return slots_.empty() ? next_sequence_ : slots_.front().entry.sequence;
    }

    const OutboxEntry* find(Sequence sequence) const;
    Sequence next_sequence() const { return next_sequence_; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(slots_.size()); }
    std::uint64_t bytes() const { return bytes_; }
    std::uint32_t in_flight() const { return in_flight_; }
    /// All entries but cancelled ones, oldest first: what is waiting, for showing to the user.
    std::vector<const OutboxEntry*> entries() const;

  private:
    enum class State : std::uint8_t { saving, queued, in_flight };
    struct Slot {
        OutboxEntry entry;
        State state = State::saving;
        bool may_have_arrived = false;  // was on the wire once, perhaps before a restart
        bool conflicts = false;         // in flight, and answered with a conflict
    };

    std::deque<Slot>::iterator position_of(Sequence sequence);
    Slot* slot_of(Sequence sequence);
    void ground(Slot& slot, State state);
    std::vector<Renumbered> renumber(Sequence first);

    Limits limits_;
    std::uint64_t salt_;
    Sequence next_sequence_ = 1;
    std::deque<Slot> slots_;  // in sequence order, those in flight first
    std::uint64_t bytes_ = 0;
    std::uint32_t in_flight_ = 0;        // with those that conflict,
    std::uint32_t conflicts_ = 0;        // which are so many, and take no room of the window
    std::uint64_t in_flight_bytes_ = 0;  // without them
    Sequence seen_ = 0;                  // by the receiver, before this attach
};

}  // namespace oncewire::delivery
