#include "server/sequencer/pauses.hpp"

#include <algorithm>

#include "shared/base/limits.hpp"

namespace oncewire::sequencer {

bool Pauses::ask(const SessionRef& session, Instant now, Millis after) {
    forget_ended(now);
    Pause& pause = pauses_[session];
    pause.ignored = now < pause.until ? pause.ignored + 1 : 0;
    pause.until = now + after;
    if (pause.ignored < limits::pauses_ignored_max) return false;
    pauses_.erase(session);
    return true;
}

/// Now and then: not everybody who was asked to wait says when they leave.
void Pauses::forget_ended(Instant now) {
    if (pauses_.size() < look_at_) return;
    std::erase_if(pauses_, [now](const auto& each) { return each.second.until <= now; });
    look_at_ = std::max<std::size_t>(1024, 2 * pauses_.size());
}

}  // namespace oncewire::sequencer
