#include "tests/sim/mutants.hpp"

namespace oncewire::sim {
namespace {

struct Named {
    Mutant mutant;
    const char* name;
};

constexpr Named names[] = {
    {Mutant::none, "none"},
    {Mutant::dedupe_in_memory, "dedupe_in_memory"},
    {Mutant::dedupe_committed_apart, "dedupe_committed_apart"},
    {Mutant::ack_before_commit, "ack_before_commit"},
    {Mutant::no_fsync, "no_fsync"},
    {Mutant::once_forgotten, "once_forgotten"},
    {Mutant::history_cut, "history_cut"},
    {Mutant::failed_commit_says_yes, "failed_commit_says_yes"},
    {Mutant::published_before_commit, "published_before_commit"},
    {Mutant::mail_overtakes, "mail_overtakes"},
    {Mutant::publication_lost, "publication_lost"},
    {Mutant::cut_ignored, "cut_ignored"},
    {Mutant::writable_missed, "writable_missed"},
    {Mutant::saved_not_told, "saved_not_told"},
    {Mutant::sent_before_saved, "sent_before_saved"},
    {Mutant::replacement_not_saved, "replacement_not_saved"},
    {Mutant::erased_at_send, "erased_at_send"},
    {Mutant::save_never_lands, "save_never_lands"},
    {Mutant::cursor_before_message, "cursor_before_message"},
    {Mutant::message_before_cursor, "message_before_cursor"},
    {Mutant::old_link_frames, "old_link_frames"},
    {Mutant::epoch_kept_at_restore, "epoch_kept_at_restore"},
    {Mutant::volatile_without_offset, "volatile_without_offset"},
    {Mutant::middleware_skipped, "middleware_skipped"},
    {Mutant::old_session_not_closed, "old_session_not_closed"},
    {Mutant::session_row_late, "session_row_late"},
    {Mutant::session_forgotten, "session_forgotten"},
    {Mutant::recovered_after_window, "recovered_after_window"},
    {Mutant::dropped_silently, "dropped_silently"},
    {Mutant::left_rooms_kept, "left_rooms_kept"},
    {Mutant::rooms_not_kept, "rooms_not_kept"},
    {Mutant::connect_before_rooms, "connect_before_rooms"},
    {Mutant::event_not_recorded, "event_not_recorded"},
    {Mutant::gap_not_told, "gap_not_told"},
    {Mutant::trimmed_too_far, "trimmed_too_far"},
    {Mutant::handler_effects_kept, "handler_effects_kept"},
    {Mutant::task_forgotten, "task_forgotten"},
    {Mutant::task_before_commit, "task_before_commit"},
    {Mutant::task_done_when_given, "task_done_when_given"},
    {Mutant::verdict_forgotten, "verdict_forgotten"},
    {Mutant::verdict_off_by_one, "verdict_off_by_one"},
    {Mutant::verdict_to_old_link, "verdict_to_old_link"},
    {Mutant::later_lost, "later_lost"},
    {Mutant::later_is_no, "later_is_no"},
    {Mutant::conflict_says_yes, "conflict_says_yes"},
    {Mutant::mark_ahead, "mark_ahead"},
    {Mutant::page_skips, "page_skips"},
    {Mutant::published_backwards, "published_backwards"},
    {Mutant::producer_forgotten, "producer_forgotten"},
    {Mutant::two_tabs_one_lane, "two_tabs_one_lane"},
    {Mutant::question_forgotten, "question_forgotten"},
    {Mutant::question_kept, "question_kept"},
    {Mutant::question_ended_apart, "question_ended_apart"},
    {Mutant::asked_before_commit, "asked_before_commit"},
    {Mutant::asked_when_over, "asked_when_over"},
    {Mutant::not_asked_again, "not_asked_again"},
    {Mutant::answer_not_kept, "answer_not_kept"},
    {Mutant::answer_before_saved, "answer_before_saved"},
    {Mutant::new_log_hidden, "new_log_hidden"},
    {Mutant::limit_ignored, "limit_ignored"},
    {Mutant::too_large_is_cut, "too_large_is_cut"},
    {Mutant::requests_unmarked, "requests_unmarked"},
    {Mutant::unread_at_upgrade, "unread_at_upgrade"},
    {Mutant::user_not_kept, "user_not_kept"},
    {Mutant::links_not_told, "links_not_told"},
    {Mutant::producer_ends_with_lease, "producer_ends_with_lease"},
    {Mutant::forgotten_says_accepted, "forgotten_says_accepted"},
    {Mutant::lease_ends_while_there, "lease_ends_while_there"},
    {Mutant::lease_ends_early, "lease_ends_early"},
    {Mutant::numbers_come_down, "numbers_come_down"},
    {Mutant::later_uses_number, "later_uses_number"},
    {Mutant::told_before_connect, "told_before_connect"},
    {Mutant::address_cut_short, "address_cut_short"},
    {Mutant::behind_not_told, "behind_not_told"},
    {Mutant::renumbering_not_told, "renumbering_not_told"},
    {Mutant::reader_says_live, "reader_says_live"},
    {Mutant::fence_ignored, "fence_ignored"},
    {Mutant::facts_stale, "facts_stale"},
    {Mutant::resume_forgotten, "resume_forgotten"},
    {Mutant::lost_while_writing, "lost_while_writing"},
    {Mutant::lost_between_transactions, "lost_between_transactions"},
};

constexpr bool names_stand_in_order() {
    for (std::uint32_t i = 0; i < mutant_count; ++i) {
        if (static_cast<std::uint32_t>(names[i].mutant) != i) return false;
    }
    return sizeof names / sizeof names[0] == mutant_count;
}
static_assert(names_stand_in_order());

}  // namespace

const char* mutant_name(Mutant mutant) { return names[static_cast<std::uint32_t>(mutant)].name; }

std::optional<Mutant> find_mutant(std::string_view name) {
    for (const auto& each : names) {
        if (name == each.name) return each.mutant;
    }
    return std::nullopt;
}

}  // namespace oncewire::sim
