#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/sim/choices.hpp"

namespace oncewire::sim {

/// Everything that can go wrong, by layer. Each is counted, because a class that never strikes proves
/// nothing: missing classes hide bugs better than too few seeds do.
enum class Fault : std::uint8_t {
    // the network
    link_cut,             ///< the connection breaks, both sides notice soon
    tail_lost_to_server,  ///< what was under way to the server is lost with the link
    tail_lost_to_client,
    half_open_server,  ///< the server believes the link is up for 0.1 to 60 s
    half_open_client,
    connect_refused,
    connect_hangs,  ///< the attempt is never answered
    delay,          ///< long and uneven latency
    stall,          ///< one direction stands still, then goes on
    zombie_server,  ///< what was under way arrives long after the client has gone elsewhere
    zombie_client,
    slow_reader,       ///< the client does not read; the server's transport stays unwritten
    request_repeated,  ///< a browser sends a request again whose connection broke
    entry_swallowed,   ///< one entry of the log vanishes from a link that lives on
    // the browser
    tab_frozen,       ///< nothing runs for a while: no timers, no frames, no callbacks
    refresh,          ///< memory is gone, IndexedDB stays
    save_lost,        ///< a refresh overtook an IndexedDB transaction
    idb_slow,         ///< a transaction takes up to 10 s
    idb_abort,        ///< a transaction fails and is tried again
    idb_refused,      ///< storage takes nothing: the message is "queued, not saved"
    idb_rolled_back,  ///< the profile comes back as it was some time ago (R9)
    other_user,       ///< somebody else is signed in where an outbox waits
    cancelled,        ///< the user takes a message back
    // the server process
    crash_any_time,
    crash_before_begin,
    crash_in_transaction,  ///< after any statement
    crash_before_commit,
    late_write,           ///< what the dead process was about to commit arrives at the disk later
    crash_after_commit,   ///< before anybody is told
    crash_after_outputs,  ///< some have been told
    power_lost,  ///< no process is left that could close anything: every client is half-open
    graceful_restart,
    restored_backup,  ///< an older copy of the database, under a new epoch
    // its disk
    slow_disk,     ///< a commit takes 0.1 to 10 s while mail queues up
    commit_lost,   ///< COMMIT fails and nothing landed
    commit_ghost,  ///< COMMIT fails, and yet all of it landed
    statement_failed,
    store_full,
    store_busy,
    reopen_failed,
    read_failed,
    reader_slow,  ///< who reads apart from the sequencer takes its time
    put_off,      ///< the application asks a sender to wait before it stores anything of it
    wall_clock_jump,
    history_trimmed,  ///< retention removes what some readers have not read yet (R12)
    lease_ended,      ///< what a sender was told who has been away is forgotten
    limit_changed,    ///< the server starts with another bound for messages than it had (R17)
    handler_failed,   ///< a durable handler gives up after it has written something
    answer_failed,    ///< the handler of a question's end gives up after it has written something
    task_failed,
    task_slow,  ///< the process may die between a task and the word that it is done
    // the application of the server
    noisy_application,  ///< it says more to somebody than their queue takes
    session_ended,      ///< it ends a session in the middle of anything
    small_queues,       ///< of the hub, for what waits for slow readers
    // its threads
    slow_core,    ///< it does not come round for a while: its mail waits, and what its links bring
    small_boxes,  ///< boxes are full of a few letters, and transactions take fewer
    // the load
    flood,  ///< so many and so long messages that queues fill and history is read in pages
    burst,
    unanswered,  ///< a page keeps a question to itself until it expires, or faults stop
    silence,     ///< nothing more is said for a long time: lost wakeups show only then
};
inline constexpr std::uint32_t fault_count = static_cast<std::uint32_t>(Fault::silence) + 1;
const char* fault_name(Fault fault);

using FaultCounts = std::array<std::uint64_t, fault_count>;

/// Which classes this run suffers from, and how often each struck. Swarm testing: every seed draws its
/// own mix, since faults that are always together hide what each of them finds alone.
class Faults {
  public:
    explicit Faults(Choices& choices);

    bool is_possible(Fault fault) const { return !healed_ && possible_[index(fault)]; }
    /// Decides whether `fault` strikes here, with odds of `numerator` in `denominator`, and counts it.
    bool strikes(Fault fault, std::uint32_t numerator, std::uint32_t denominator);
    void count(Fault fault) { ++counts_[index(fault)]; }
    /// The liveness phase: from now on nothing goes wrong any more.
    void heal() { healed_ = true; }

    const FaultCounts& counts() const { return counts_; }

  private:
    void allow(const std::vector<Fault>& faults);
    static std::uint32_t index(Fault fault) { return static_cast<std::uint32_t>(fault); }

    Choices& choices_;
    std::array<bool, fault_count> possible_ = {};
    bool healed_ = false;
    FaultCounts counts_ = {};
};

}  // namespace oncewire::sim
