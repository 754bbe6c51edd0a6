#include "server/sequencer/task_desk.hpp"

#include <algorithm>

namespace oncewire::sequencer {

Result<std::vector<TaskRow>, StoreError> TaskDesk::take_due(store::Store& store, Instant now) {
    if (may_have_more_ && open_.size() < open_max) {
        const auto wanted = open_max - static_cast<std::uint32_t>(open_.size());
        Wanted question;
        question.tasks = {read_to_, wanted};
        auto facts = store.fetch(question);
        if (!facts) return Err{facts.error()};
        may_have_more_ = facts->tasks.size() == wanted;
        for (TaskRow& task : facts->tasks) {
            read_to_ = task.id;
            open_[task.id] = {std::move(task), now, 0, false};
        }
    }
    std::vector<TaskRow> due;
    for (auto& [id, open] : open_) {
        if (open.due > now) continue;
        open.due = now + answer_within;
        due.push_back(open.task);
    }
    return due;
}

bool TaskDesk::ended(std::uint64_t id, bool is_done, Instant now) {
    const auto found = open_.find(id);
    if (found == open_.end() || found->second.is_done) return false;  // answered twice
    Open& open = found->second;
    open.is_done = is_done;
    if (is_done) return true;
    const Millis pause = pause_first * (1 << std::min(open.failures++, 10u));
    open.due = now + std::min(pause, pause_max);
    return false;
}

void TaskDesk::not_erased(std::uint64_t id, Instant now) {
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    found->second.is_done = false;
    found->second.due = now + pause_first;
}

std::optional<Instant> TaskDesk::next_timeout() const {
    std::optional<Instant> next;
    if (may_have_more_ && open_.size() < open_max) next = Instant{};
    for (const auto& [id, open] : open_) {
        if (!open.is_done && (!next || open.due < *next)) next = open.due;
    }
    return next;
}

}  // namespace oncewire::sequencer
