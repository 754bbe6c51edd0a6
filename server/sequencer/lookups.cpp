// Questions of clients that are only read for: history, search. Nobody's message waits for more than one
// step of them.
#include <utility>

#include "server/sequencer/mistake.hpp"
#include "server/sequencer/sequencer.hpp"
#include "shared/base/json.hpp"

namespace oncewire::sequencer {
namespace {

/// 1 MiB: read, or said, between two batches; some 3 ms. One lookup that reads more ends the step.
constexpr std::uint64_t step_bytes = 1u << 20;
/// 64: answered between two batches.
constexpr std::uint32_t step_lookups = 64;
/// 64: waiting of one session; whoever has a hub before it never has as many.
constexpr std::size_t waiting_max = 64;

}  // namespace

bool Sequencer::is_lookup(const Submit& submit) const {
    if (options_.lookups.empty()) return false;
    const auto name = json::first_element(submit.data);
    const auto event = name ? json::as_string(*name) : std::nullopt;
    return event && options_.lookups.contains(*event);
}

/// Nobody hears what is not acknowledged.
void Sequencer::keep_lookup(const Submit& submit) {
    if (!submit.ack_id) return;
    auto& waiting = lookups_[submit.from];
    if (waiting.size() < waiting_max) return waiting.push_back(submit);
    reply(submit.from, Answered{submit.from, *submit.ack_id,
                                reject("too_many_questions", "wait for the answers first")});
}

void Sequencer::drop_lookups(const SessionRef& session) {
    const auto found = lookups_.find(session);
    if (found == lookups_.end()) return;
    counts_.lookups_dropped += found->second.size();
    lookups_.erase(found);
}

/// Each session in turn, so that nobody waits for all that somebody else asked.
Submit Sequencer::take_lookup() {
    auto next = lookups_.upper_bound(last_asker_);
    if (next == lookups_.end()) next = lookups_.begin();
    last_asker_ = next->first;
    Submit submit = std::move(next->second.front());
    next->second.pop_front();
    if (next->second.empty()) lookups_.erase(next);
    return submit;
}

/// After the commit, so that nobody is shown what may yet be rolled back.
void Sequencer::answer_lookups() {
    std::uint64_t bytes = 0;
    for (std::uint32_t count = 0; count < step_lookups && bytes < step_bytes; ++count) {
        if (lookups_.empty() || is_damaged_) return;
        bytes += answer_lookup(take_lookup());
    }
}

/// Returns what it cost, in bytes.
std::uint64_t Sequencer::answer_lookup(const Submit& submit) {
    ++counts_.looked_up;
    std::vector<LogEntry> published;
    std::vector<QuestionChange> questions;
    std::vector<Rewrite> rewritten;
    Tx tx(store_, submit.nsp, {}, wall_clock_, published, questions, rewritten, Tx::Use::lookup);
    auto verdict = needs_reopen_ ? Err{StoreError::io} : run_lookup(tx, submit);
    if (tx.is_marked()) store_.rollback();
    const auto core = submit.from.core;
    if (!verdict) {
        note(verdict.error());
        outputs_.push_back({core, RetryLater{submit.from, submit.ack_id, refuse_for}});
        return tx.bytes_read();
    }
    const std::uint64_t cost = tx.bytes_read() + verdict->body.size();
    outputs_.push_back({core, Answered{submit.from, *submit.ack_id, std::move(*verdict)}});
    return cost;
}

Result<Verdict, StoreError> Sequencer::run_lookup(Tx& tx, const Submit& submit) {
    auto elements = json::elements(submit.data);
    const std::string event = json::as_string(elements.at(0)).value_or("");
    const auto handler = handlers_.find(event);
    if (handler == handlers_.end()) return reject("unknown_event", "nobody answers this here");
    elements.erase(elements.begin());
    const Message message{submit.nsp, event,         std::move(elements), submit.scope,
                          {},         submit.sender, submit.producer.text};
    auto answer = handler->second(tx, message);
    const std::string mistake = mistake_of(tx, answer);
    if (mistake.empty()) return answer;
    tell_mistake(event, mistake);
    return reject("handler_failed", "the server failed on this question");
}

}  // namespace oncewire::sequencer
