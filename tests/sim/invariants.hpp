#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/log_entry.hpp"
#include "server/store/memory/memory_store.hpp"
#include "shared/delivery/position.hpp"
#include "tests/sim/event_heap.hpp"
#include "tests/sim/question_witness.hpp"

namespace oncewire::sim {

/// What kind of promise was broken (delivery P1 to P6).
enum class Breach : std::uint8_t {
    lost,          ///< P1, P4: an accepted message or a reader's entry is missing
    duplicated,    ///< P2
    reordered,     ///< P3
    leaked,        ///< somebody was told what is not committed
    stuck,         ///< P5: faults stopped, and it did not drain
    dishonest,     ///< P6: the user was told something untrue
    unbounded,     ///< a queue beyond its limit, a timer that spins, a gauge not back at zero
    unrepeatable,  ///< the same choices gave another run
};
inline constexpr std::uint32_t breach_count = static_cast<std::uint32_t>(Breach::unrepeatable) + 1;
const char* breach_name(Breach breach);

struct Violation {
    Breach breach = Breach::lost;
    Instant at;
    std::string what;
};

/// A chat message of the workload; its text begins with "m<id>:".
using MessageId = std::uint32_t;
/// Who wrote: one lane of one browser.
using AuthorId = std::uint32_t;

/// How far one reader has been handed the log. A fresh page starts with a fresh one.
struct ReaderState {
    delivery::Epoch epoch;    ///< empty until the first entry
    std::uint64_t count = 0;  ///< entries handed over: exactly the first `count` of the log
};

/// What a page shows in the place of an entry that was gone before it came.
inline constexpr const char* gone_mark = "(gone)";

/// Stands beside the world, sees what really landed on the disk and what users were told, and knows
/// what they were promised. An independent model: it shares no code with what it judges.
class Witness {
  public:
    explicit Witness(const EventHeap& heap)
        : questions([this](Breach breach, std::string what) { report(breach, std::move(what)); }),
          heap_(heap) {}
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;

    QuestionWitness questions;

    void report(Breach breach, std::string what);
    const std::vector<Violation>& violations() const { return violations_; }

    // ---- messages -------------------------------------------------------------------------------

    /// `wanted`: false if the server must reject it.
    MessageId add_message(AuthorId author, bool wanted);
    std::uint32_t message_count() const { return static_cast<std::uint32_t>(messages_.size()); }
    /// As JSON text. Whoever knows nothing of sizes need not say it.
    void sized(MessageId message, std::uint32_t bytes) { messages_[message].bytes = bytes; }
    /// A server starts that takes messages of so many bytes at most.
    void limit_set(std::uint32_t bytes) { smallest_limit_ = std::min(smallest_limit_, bytes); }
    /// From the JSON text of an event of the workload; none if it is not one.
    static std::optional<MessageId> message_in(std::string_view data);

    /// It is in browser storage: from here on it must not get lost (P1).
    void saved(MessageId message);
    /// Nothing was promised any more: memory was lost before it was saved, storage was rolled back, …
    void release(MessageId message);
    /// The user took it back and storage knows.
    void cancelled(MessageId message);
    /// It is in browser storage after all: a cancellation or a verdict did not get there.
    void restored(MessageId message);
    /// The user was told the verdict. `too_large`: it is a rejection for that reason.
    void settled(MessageId message, bool accepted, bool too_large = false);
    /// It leaves for the server, as this message of this producer.
    void offered(MessageId message, const ProducerId& producer, delivery::Sequence sequence);
    /// The user was told that nobody knows its outcome any more, by a server with this log.
    void outcome_unknown(MessageId message, const ProducerId& producer, delivery::Sequence sequence,
                         const delivery::Epoch& epoch);
    /// The storage of this author was put back, or is behind: numbers stand for other messages than they
    /// did.
    void put_back(AuthorId author) { put_back_.insert(author); }
    bool is_promised(MessageId message) const { return messages_[message].promised; }
    /// The page may let go of it: its user was told what became of it, in this log or in one before.
    bool was_told(MessageId message) const { return messages_[message].was_told; }
    bool is_cancelled(MessageId message) const { return messages_[message].cancelled; }

    // ---- the log --------------------------------------------------------------------------------

    /// Compares the disk with what was seen before and takes in what is new. Call after every commit,
    /// whatever it said, and at every start of a server.
    void look_at_disk(const store::MemoryDisk& disk);
    /// Everything, not only what is new: at starts and at the end.
    void examine_disk(const store::MemoryDisk& disk);
    /// The disk was replaced by an older copy with a new epoch.
    void log_replaced(const delivery::Epoch& epoch, delivery::Offset head);
    /// The server is about to tell somebody about this entry.
    void announced(const delivery::Epoch& epoch, const store::LogEntry& entry);
    delivery::Offset head() const;
    const delivery::Epoch& epoch() const { return epoch_; }

    // ---- tasks ----------------------------------------------------------------------------------

    /// A handler published an entry there and left this task, or none: both land, or neither.
    void task_left(delivery::Offset offset, std::string key);
    /// Somebody does it.
    void task_ran(const std::string& key);

    // ---- readers --------------------------------------------------------------------------------

    void handed_over(ReaderState& reader, const delivery::Position& position,
                     std::string_view data);
    /// The page was told that entries from `from` to `to` are gone for good; how many it will never see.
    std::uint64_t told_of_gap(ReaderState& reader, delivery::Offset from, delivery::Offset to);
    /// An entry is lost to somebody on its way. False: it was before; it must not be again.
    bool vanishes(const delivery::Position& place) {
        return vanished_.insert(format(place)).second;
    }
    /// A page noticed `holes` more in the log, and that entries came `again`.
    void noticed(std::uint32_t holes, std::uint32_t again);
    /// A reader who cannot be told goes on at `position`, behind what is gone there.
    void pass_gap(ReaderState& reader, const delivery::Position& position);
    /// The page was told that the log is another one now.
    void stream_changed(ReaderState& reader, const delivery::Epoch& epoch);
    /// What a page keeps in storage: `shown` of `epoch`, and the cursor beside it (P4).
    void check_durable_reader(const std::optional<delivery::Position>& cursor,
                              const std::vector<std::string>& shown);

    /// Everybody is done: was every promise kept?
    void check_outcome();

  private:
    enum class Fate : std::uint8_t { open, accepted, rejected };
    struct Message {
        AuthorId author = 0;
        bool wanted = true;
        bool promised = false;  // saved, or said to be: must end up in the log
        bool released = false;  // the promise ended honestly
        bool cancelled = false;
        bool risen = false;     // storage has it again, when its place among the others is gone
        bool was_told = false;  // what became of it, since storage was last read
        bool had_outcome_before = false;  // another than accepted, in a log before
        bool was_stored = false;          // in some epoch
        bool too_large = false;           // rejected for that reason
        bool was_offered = false;         // before its lease ended
        bool is_unknown = false;          // in the current epoch, and the user was told so
        std::uint32_t bytes = 0;
        std::uint32_t copies = 0;  // in the current epoch
        Fate verdict = Fate::open;
    };
    using Log = std::vector<store::LogEntry>;

    using Verdicts = std::map<delivery::Sequence, store::StoredVerdict>;

    void take_in(const store::LogEntry& entry);
    void check_mark(const store::ProducerRow& row, const Verdicts& verdicts);
    void check_user(std::string_view data);
    const Log* find_log(const delivery::Epoch& epoch) const;

    const EventHeap& heap_;
    std::set<std::string> vanished_;
    std::uint64_t holes_ = 0;  // noticed
    std::vector<Message> messages_;
    std::uint32_t smallest_limit_ = UINT32_MAX;
    std::map<std::string, Log> logs_;               // by epoch
    std::map<std::string, delivery::Offset> gone_;  // removed by retention up to here, by epoch
    std::map<ProducerId, delivery::Sequence>
        forgotten_;  // verdicts, up to here, in the current log
    std::map<ProducerId, delivery::Sequence> once_forgotten_;  // the same, in any
    std::map<ProducerId, delivery::Sequence> marks_;           // the highest, in any
    std::map<ProducerId, delivery::Sequence> marks_before_;    // the same, before this log
    std::set<AuthorId> put_back_;
    std::map<std::string, std::uint64_t> tasks_;    // committed, by key: how often they ran
    std::map<delivery::Offset, std::string> left_;  // keys of those not committed yet
    delivery::Epoch epoch_;
    std::map<AuthorId, MessageId> newest_of_author_;  // in the current log
    std::map<std::string, std::string> user_of_;      // by producer, in the current log
    std::vector<Violation> violations_;
};

}  // namespace oncewire::sim
