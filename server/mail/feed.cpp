#include "server/mail/feed.hpp"

#include <utility>

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

bool is_ephemeral(const CoreCommand& command) { return std::holds_alternative<Broadcast>(command); }

}  // namespace oncewire::mail
