#include "server/sequencer/asked_clients.hpp"

#include <utility>

namespace oncewire::sequencer {

void AskedClients::attached(const ProducerId& id) {
    asking_.erase(id);
    unasked_.insert(id);
}

void AskedClients::note(const store::Batch& batch, bool outcome_known) {
    const auto note_one = [&](const ProducerId& recipient) {
        unasked_.insert(recipient);
        if (!outcome_known) asking_.erase(recipient);
    };
    for (const QuestionRow& row : batch.questions) note_one(row.recipient);
    for (const auto& ended : batch.ended_questions) {
        note_one(ended.recipient);
        const auto asking = asking_.find(ended.recipient);
        if (asking != asking_.end()) asking->second.outbox.settle(ended.id);
    }
}

std::set<ProducerId> AskedClients::take_unasked() { return std::exchange(unasked_, {}); }

Result<std::vector<AskedClients::Next>, StoreError> AskedClients::next(const ProducerId& id,
                                                                       store::Store& store) {
    Asking& asking = asking_[id];
    Wanted wanted;
    wanted.questions_to.push_back(
        {id, asking.read_to, limits::questions_window - asking.outbox.size()});
    auto facts = store.fetch(wanted);
    if (!facts) return Err{facts.error()};
    for (QuestionRow& row : facts->questions_to.front()) {
        asking.read_to = row.id;
        asking.outbox.take({row.id, 0, std::move(row.data)});
    }
    std::vector<Next> next;
    while (const auto* question = asking.outbox.next())
        next.push_back({question->sequence, question->message});
    if (asking.outbox.size() == 0) asking_.erase(id);
    return next;
}

}  // namespace oncewire::sequencer
