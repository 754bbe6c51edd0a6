// Whether a message may be stored now, and what becomes of those who do not wait when they are asked to.
#include <algorithm>

#include "server/sequencer/sequencer.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::sequencer {

std::optional<Later> Sequencer::ask_admission(const Submit& submit) {
    if (!options_.admission || submit.is_applications) return std::nullopt;
    const ProducerId& producer = submit.key ? submit.key->id : submit.producer;
    auto later =
        options_.admission({submit.nsp, submit.data, submit.sender, producer.text, wall_clock_});
    if (later) later->after = std::clamp(later->after, Millis{1}, limits::retry_later_max);
    return later;
}

/// A stock client does not know how to wait, and an ack, even one that says no, ends its retries: it hears
/// what it may tell its user.
void Sequencer::put_off(const Submit& submit, const Later& later) {
    ++counts_.put_off;
    if (pauses_.ask(submit.from, now_, later.after)) {
        ++counts_.cut_off;
        return reply(submit.from, Cut{submit.from});
    }
    if (submit.key) return retry_later(submit.from, std::nullopt, later.after);
    if (!submit.ack_id) return;
    mail_.involve(submit.from, submit.ack_id);
    reply(submit.from, Answered{submit.from, *submit.ack_id, reject(later.code, later.message)});
}

}  // namespace oncewire::sequencer
