#include "server/mail/feed.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace oncewire::mail {

std::optional<FromSequencer> without_feed(FromSequencer letter) {
    if (std::holds_alternative<Published>(letter)) return std::nullopt;
    auto* recorded = std::get_if<Recorded>(&letter);
    // Its sender counts what has come back. What could not be stored is not in the log.
    if (recorded && recorded->is_stored) recorded->event.reset();
    auto* relayed = std::get_if<Relayed>(&letter);
    if (relayed && relayed->letter && is_ephemeral(*relayed->letter)) relayed->letter.reset();
    return letter;
}

Page unread(const SessionRef& to, delivery::Offset after) {
    Page page;
    page.to = to;
    page.after = page.end = after;
    page.failed = true;
    page.entries = std::make_shared<const std::vector<store::LogEntry>>();
    return page;
}

FromSequencer ask_again(FromSequencer answer) {
    if (const auto* answered = std::get_if<Answered>(&answer))
        return RetryLater{answered->to, answered->ack_id, ask_again_after};
    const auto* page = std::get_if<Page>(&answer);
    if (!page) return answer;
    return unread(page->to, page->after);
}

bool is_ephemeral(const CoreCommand& command) { return std::holds_alternative<Broadcast>(command); }

}  // namespace oncewire::mail
