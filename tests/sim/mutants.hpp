#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace oncewire::sim {

/// Planted bugs: the alarm must go off for each of them. They live in what surrounds the production
/// code (the disk, the mailboxes, the browser's host, the page), never in it.
enum class Mutant : std::uint8_t {
    none,
    dedupe_in_memory,         ///< the producers' rows are forgotten at a restart (R1)
    dedupe_committed_apart,   ///< log and dedupe rows in two transactions (R1)
    ack_before_commit,        ///< commits say yes, and reach the disk a little later
    no_fsync,                 ///< commits say yes, and a crash takes the newest ones back
    once_forgotten,           ///< the ids that stock clients give are not stored
    history_cut,              ///< old entries are gone, and nobody knows (R12)
    failed_commit_says_yes,   ///< an unknown COMMIT is reported as success (R3)
    published_before_commit,  ///< readers hear of entries as they are appended
    mail_overtakes,           ///< the mailbox to a core is not first in, first out (R7)
    publication_lost,         ///< a core misses a publication now and then
    cut_ignored,              ///< connections stay open after an unknown COMMIT (R3)
    writable_missed,          ///< the host forgets to say that a slow transport took its bytes
    saved_not_told,           ///< the browser's host forgets to report a save
    sent_before_saved,        ///< the browser's host reports saved at once (R5)
    replacement_not_saved,    ///< what was renumbered is sent although storage refused to know (R5)
    erased_at_send,           ///< the browser forgets an entry when it goes on the wire (R14)
    save_never_lands,         ///< storage drops a transaction and says it is done
    cursor_before_message,    ///< the page stores the cursor first, the message later (R6)
    message_before_cursor,    ///< and the other way round
    old_link_frames,          ///< frames of an old link are taken for the new one's (R10)
    epoch_kept_at_restore,    ///< an older copy of the database keeps its epoch (R11)
    volatile_without_offset,  ///< a volatile event ends in the application's own string
    middleware_skipped,       ///< whoever shows a pid is let in unasked
    old_session_not_closed,   ///< a half-open link is not told that its session went elsewhere
    session_row_late,         ///< sessions reach the disk with the next commit
    session_forgotten,        ///< some sessions are not stored at all
    recovered_after_window,   ///< sessions do not age, and nobody knows what was dropped
    dropped_silently,         ///< nobody knows what was dropped
    left_rooms_kept,          ///< who is away stays in the rooms they were put out of
    rooms_not_kept,           ///< rooms that were joined later are not stored
    connect_before_rooms,     ///< CONNECT is answered before the rooms it gave are stored
    event_not_recorded,       ///< some events reach only those who are there
    gap_not_told,             ///< readers are not told of what retention removed (R12)
    trimmed_too_far,          ///< retention removes what it should keep, and says nothing
    handler_effects_kept,     ///< what a failed handler wrote stays
    task_forgotten,           ///< deferred work is not stored
    task_before_commit,       ///< deferred work is done before its message is committed
    task_done_when_given,     ///< a task is erased when it is given out, not when it is done
    verdict_forgotten,   ///< verdicts are not read back, so whatever is repeated was accepted (R13)
    verdict_off_by_one,  ///< verdicts are counted from one too far (R16)
    verdict_to_old_link,  ///< a verdict goes to nobody if its sender came back meanwhile (R2)
    later_lost,           ///< nobody says that nothing could be stored
    later_is_no,          ///< an outage is told as a rejection (R13)
    conflict_says_yes,    ///< a number that met another message is called accepted (R9)
    mark_ahead,           ///< a high-water mark is read back one too high (R4)
    page_skips,           ///< a page of history says it reaches further than it does (R7)
    published_backwards,  ///< all but the first that one transaction published goes out newest first
    producer_forgotten,   ///< a producer who was away for ten seconds is not known any more
    two_tabs_one_lane,    ///< two tabs send under the same identity, and neither is fenced (R8)
    question_forgotten,   ///< a question is not stored
    question_kept,        ///< the end of a question is not stored, so it is asked again
    question_ended_apart,  ///< a question stays over though what its end did was undone
    asked_before_commit,   ///< clients are asked what may yet be rolled back
    asked_when_over,       ///< clients are asked what has expired, or was answered or taken back
    not_asked_again,       ///< who comes back is not asked what was open
    answer_not_kept,       ///< the browser restores its outbox without the answers in it
    answer_before_saved,   ///< answers are sent before storage holds them (R5)
    new_log_hidden,        ///< the page is not told that the log is another one (R11)
    limit_ignored,         ///< the client is not told what the server takes at most (R17)
    too_large_is_cut,   ///< a server closes the connection of whoever has something too large (R17)
    requests_unmarked,  ///< a request that is sent again is taken for another one
    unread_at_upgrade,  ///< what no GET has taken is gone when a WebSocket takes over
    user_not_kept,      ///< nobody remembers whose outbox it is
    links_not_told,     ///< no entry says which came before it, so nobody misses any
    producer_ends_with_lease,  ///< the row of a producer goes with the last of its verdicts
    forgotten_says_accepted,   ///< what nobody knows any more is called accepted
    lease_ends_while_there,    ///< leases end of who is connected, and has nothing to say
    lease_ends_early,          ///< leases end before their time is over
    numbers_come_down,         ///< an older copy of the database counts on from where it stood (R9)
    later_uses_number,         ///< who has to wait is told no, for good (R13)
    told_before_connect,       ///< a session is told of events before CONNECT is answered
    address_cut_short,         ///< a letter's address says which place, not whose turn it is there
    behind_not_told,           ///< a core that had no room for what is new is not told when it has
    renumbering_not_told,      ///< the server is not told that a message had another number once
    reader_says_live,  ///< who reads apart says that the head is reached, and may be overtaken
    fence_ignored,     ///< what a dead process was about to write is stored beside its successor's
    facts_stale,       ///< producers and ids are read as they were before the newest batch
    resume_forgotten,  ///< clients that were not read while somebody was crowded are never read again
    lost_while_writing,         ///< what a core takes from its box between two writes is lost
    lost_between_transactions,  ///< a letter that does not fit into a transaction is in none
};
inline constexpr std::uint32_t mutant_count =
    static_cast<std::uint32_t>(Mutant::lost_between_transactions) + 1;

/// What CI plants in every run to see the alarm work.
inline constexpr Mutant canary = Mutant::dedupe_in_memory;

const char* mutant_name(Mutant mutant);
std::optional<Mutant> find_mutant(std::string_view name);

}  // namespace oncewire::sim
