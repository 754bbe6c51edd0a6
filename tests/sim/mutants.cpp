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
    {Mutant::history_trimmed, "history_trimmed"},
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
    {Mutant::event_not_recorded, "event_not_recorded"},
};

constexpr bool stand_in_order() {
    for (std::uint32_t i = 0; i < mutant_count; ++i) {
        if (static_cast<std::uint32_t>(names[i].mutant) != i) return false;
    }
    return sizeof names / sizeof names[0] == mutant_count;
}
static_assert(stand_in_order());

}  // namespace

const char* mutant_name(Mutant mutant) { return names[static_cast<std::uint32_t>(mutant)].name; }

std::optional<Mutant> find_mutant(std::string_view name) {
    for (const auto& each : names) {
        if (name == each.name) return each.mutant;
    }
    return std::nullopt;
}

}  // namespace oncewire::sim
