// What clients are asked, and what follows when a question ends.
#include <algorithm>

#include "server/sequencer/mistake.hpp"
#include "server/sequencer/sequencer.hpp"
#include "shared/base/json.hpp"
#include "shared/base/limits.hpp"

namespace oncewire::sequencer {
namespace {

/// Questions that expire in one transaction.
constexpr std::uint32_t expire_max = 64;
/// How often it is looked at least, because clocks on walls are put forward, and at most.
constexpr Millis look_again_max{60'000};
constexpr Millis look_again_min{1'000};
/// Later than everything, and a number for every store.
constexpr UnixMillis end_of_time{INT64_MAX};

}  // namespace

// ---- asking -------------------------------------------------------------------------------------

/// After the commit, so that nobody is asked what may yet be rolled back.
void Sequencer::ask_questions() {
    if (needs_reopen_ || in_batch_) return;
    for (const auto& recipient : asked_.take_unasked()) {
        const auto found = attachments_.find(recipient);
        if (found == attachments_.end() || found->second.gone) continue;
        const SessionRef& session = found->second.session;
        auto next = asked_.next(recipient, store());
        if (!next) {
            refuse_for_a_while(next.error());
            asked_.ask_again(recipient);
            continue;
        }
        for (auto& question : *next) {
            ++counts_.asked;
            outputs_.push_back({session.core, Ask{session, question.id, std::move(question.data)}});
        }
    }
}

void Sequencer::note_questions(bool outcome_known) {
    const store::Batch& batch = overlay_->written();
    for (const QuestionRow& row : batch.questions) note_expiry(row.expires_at);
    asked_.note(batch, outcome_known);
}

// ---- the end of a question ----------------------------------------------------------------------

/// An answer is a message, so it comes here once. What it answers may be over: then it has no effect.
Result<Verdict, StoreError> Sequencer::take_answer(const Submit& submit,
                                                   const delivery::Answer& answer) {
    const auto id = answer.question.offset;
    if (!(answer.question.epoch == overlay_->head().epoch)) return accept();
    const auto found = overlay_->questions.find(submit.key->id, id);
    if (!found) return Err{found.error()};
    if (!*found) return accept();
    const auto ended = end_question(**found, {false, json::elements(answer.arguments)});
    if (!ended) return Err{ended.error()};
    ++counts_.answered;
    return accept();
}

/// Its row goes, and the application does what follows from it, in one transaction.
Result<void, StoreError> Sequencer::end_question(const QuestionRow& row, const Reply& reply) {
    auto elements = json::elements(row.data);
    const std::string event = json::as_string(elements.at(0)).value_or("");
    elements.erase(elements.begin());
    const Question question{row.nsp, row.recipient.text, row.key, event, std::move(elements)};
    overlay_->questions.end(row.id, row.recipient);
    const auto handler = options_.answers.find(event);
    if (handler == options_.answers.end()) return {};
    Tx tx(*overlay_, row.nsp, row.key, wall_clock_);
    const auto done = handler->second(tx, question, reply);
    const std::string mistake = mistake_of(tx);
    if (mistake.empty()) return done;
    tell_mistake(event, mistake);
    return Err{StoreError::handler};
}

/// The message was an answer that its handler failed on for the last time: asking again would fail again.
void Sequencer::drop_question(const Submit& submit) {
    const auto answer = delivery::parse_answer(submit.data);
    if (answer && submit.key) overlay_->questions.end(answer->question.offset, submit.key->id);
}

// ---- expiry -------------------------------------------------------------------------------------

/// A batch of its own.
void Sequencer::expire_questions() {
    if (in_batch_) return;
    const auto due = expiring(wall_clock_, expire_max);
    if (!due) return refuse_for_a_while(due.error());
    if (!due->empty()) {
        in_batch_ = true;
        if (const auto expired = expire(*due); !expired) return fail_batch(expired.error());
        commit(now_);
        if (needs_reopen_) return;
    }
    if (const auto looked = look_for_expiry(); !looked) refuse_for_a_while(looked.error());
}

Result<std::vector<QuestionRow>, StoreError> Sequencer::expiring(UnixMillis until,
                                                                 std::uint32_t count_max) {
    Wanted wanted;
    wanted.expiring_questions = {until, count_max};
    auto facts = store().fetch(wanted);
    if (!facts) return Err{facts.error()};
    return std::move(facts->expiring_questions);
}

Result<void, StoreError> Sequencer::expire(const std::vector<QuestionRow>& due) {
    for (const QuestionRow& row : due) {
        if (const auto expired = expire(row); !expired) return expired;
    }
    return {};
}

/// A handler that fails is called again a little later, and at last not any more.
Result<void, StoreError> Sequencer::expire(const QuestionRow& row) {
    overlay_->mark();
    const auto ended = end_question(row, {true, {}});
    if (ended) ++counts_.expired;
    if (ended || ended.error() != StoreError::handler) return ended;
    ++counts_.handler_failures;
    if (const auto undone = overlay_->undo(); !undone) return undone;
    if (++expiry_failures_[row.id] < options_.handler_attempts_max) return {};
    expiry_failures_.erase(row.id);
    overlay_->questions.end(row.id, row.recipient);
    return {};
}

Result<void, StoreError> Sequencer::look_for_expiry() {
    const auto next = expiring(end_of_time, 1);
    if (!next) return Err{next.error()};
    expiry_at_.reset();
    if (!next->empty()) note_expiry(next->front().expires_at);
    return {};
}

void Sequencer::note_expiry(UnixMillis expires_at) {
    const Millis wait{expires_at.value - wall_clock_.value};
    expiry_at_ = earliest(expiry_at_, now_ + std::clamp(wait, look_again_min, look_again_max));
}

}  // namespace oncewire::sequencer
