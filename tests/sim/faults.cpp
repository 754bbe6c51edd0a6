#include "tests/sim/faults.hpp"

namespace oncewire::sim {
namespace {

struct FaultClass {
    Fault fault;
    const char* name;
    /// How many of 100 seeds know it. The rare ones end a history, so most seeds do without them.
    std::uint32_t percent_of_seeds;
};

constexpr FaultClass classes[] = {
    {Fault::link_cut, "link_cut", 65},
    {Fault::tail_lost_to_server, "tail_lost_to_server", 65},
    {Fault::tail_lost_to_client, "tail_lost_to_client", 65},
    {Fault::half_open_server, "half_open_server", 65},
    {Fault::half_open_client, "half_open_client", 65},
    {Fault::connect_refused, "connect_refused", 65},
    {Fault::connect_hangs, "connect_hangs", 65},
    {Fault::delay, "delay", 65},
    {Fault::stall, "stall", 65},
    {Fault::zombie_server, "zombie_server", 65},
    {Fault::zombie_client, "zombie_client", 65},
    {Fault::slow_reader, "slow_reader", 65},
    {Fault::request_repeated, "request_repeated", 65},
    {Fault::entry_swallowed, "entry_swallowed", 25},
    {Fault::tab_frozen, "tab_frozen", 65},
    {Fault::refresh, "refresh", 65},
    {Fault::save_lost, "save_lost", 65},
    {Fault::idb_slow, "idb_slow", 65},
    {Fault::idb_abort, "idb_abort", 65},
    {Fault::idb_refused, "idb_refused", 35},
    {Fault::idb_rolled_back, "idb_rolled_back", 15},
    {Fault::other_user, "other_user", 25},
    {Fault::cancelled, "cancelled", 65},
    {Fault::crash_any_time, "crash_any_time", 65},
    {Fault::crash_before_begin, "crash_before_begin", 65},
    {Fault::crash_in_transaction, "crash_in_transaction", 65},
    {Fault::crash_before_commit, "crash_before_commit", 65},
    {Fault::late_write, "late_write", 65},
    {Fault::crash_after_commit, "crash_after_commit", 65},
    {Fault::crash_after_outputs, "crash_after_outputs", 65},
    {Fault::power_lost, "power_lost", 65},
    {Fault::graceful_restart, "graceful_restart", 65},
    {Fault::restored_backup, "restored_backup", 8},
    {Fault::slow_disk, "slow_disk", 65},
    {Fault::commit_lost, "commit_lost", 65},
    {Fault::commit_ghost, "commit_ghost", 65},
    {Fault::statement_failed, "statement_failed", 65},
    {Fault::store_full, "store_full", 65},
    {Fault::store_busy, "store_busy", 65},
    {Fault::reopen_failed, "reopen_failed", 65},
    {Fault::read_failed, "read_failed", 65},
    {Fault::reader_slow, "reader_slow", 65},
    {Fault::put_off, "put_off", 65},
    {Fault::wall_clock_jump, "wall_clock_jump", 65},
    {Fault::history_trimmed, "history_trimmed", 25},
    {Fault::lease_ended, "lease_ended", 25},
    {Fault::limit_changed, "limit_changed", 25},
    {Fault::handler_failed, "handler_failed", 65},
    {Fault::answer_failed, "answer_failed", 65},
    {Fault::task_failed, "task_failed", 65},
    {Fault::task_slow, "task_slow", 65},
    {Fault::noisy_application, "noisy_application", 35},
    {Fault::session_ended, "session_ended", 35},
    {Fault::small_queues, "small_queues", 65},
    {Fault::slow_core, "slow_core", 35},
    {Fault::small_boxes, "small_boxes", 65},
    {Fault::flood, "flood", 6},
    {Fault::burst, "burst", 65},
    {Fault::unanswered, "unanswered", 65},
    {Fault::silence, "silence", 30},
};

/// A database and a profile of some time ago, and verdicts that nobody has any more: each is rare, and only
/// together do they bring a message back under a number that it no longer has.
const std::vector<Fault> things_that_come_back = {Fault::restored_backup, Fault::idb_rolled_back,
                                                  Fault::lease_ended, Fault::refresh,
                                                  Fault::crash_any_time};

constexpr bool classes_stand_in_order() {
    for (std::uint32_t i = 0; i < fault_count; ++i) {
        if (static_cast<std::uint32_t>(classes[i].fault) != i) return false;
    }
    return sizeof classes / sizeof classes[0] == fault_count;
}
static_assert(classes_stand_in_order());

}  // namespace

const char* fault_name(Fault fault) { return classes[static_cast<std::uint32_t>(fault)].name; }

Faults::Faults(Choices& choices) : choices_(choices) {
    for (std::uint32_t i = 0; i < fault_count; ++i) {
        possible_[i] = choices_.chance("fault class", classes[i].percent_of_seeds, 100);
    }
    if (choices_.chance("all comes back", 1, 3)) allow(things_that_come_back);
}

void Faults::allow(const std::vector<Fault>& faults) {
    for (const Fault fault : faults) possible_[index(fault)] = true;
}

bool Faults::strikes(Fault fault, std::uint32_t numerator, std::uint32_t denominator) {
    if (!is_possible(fault)) return false;
    if (!choices_.chance(fault_name(fault), numerator, denominator)) return false;
    count(fault);
    return true;
}

}  // namespace oncewire::sim
