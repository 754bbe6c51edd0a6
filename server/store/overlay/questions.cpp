// VERIFY here: Tx::ask() numbers its questions, whatever a peer makes a handler do.
#include "server/store/overlay/questions.hpp"

#include <algorithm>
#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::store {

bool QuestionOverlay::has_ended(std::uint64_t id) const {
    const auto& ended = batch_.ended_questions;
    return std::any_of(ended.begin(), ended.end(), [&](const auto& one) { return one.id == id; });
}

Result<std::optional<QuestionRow>, StoreError> QuestionOverlay::find(std::string_view key) {
    for (const QuestionRow& row : batch_.questions) {
        if (row.key == key && !has_ended(row.id)) return std::optional(row);
    }
    Wanted wanted;
    wanted.questions.emplace_back(key);
    auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    auto& found = facts->questions.front();
    if (found && has_ended(found->id)) found.reset();
    return std::move(found);
}

Result<std::optional<QuestionRow>, StoreError> QuestionOverlay::find(const ProducerId& recipient,
                                                                     std::uint64_t id) {
    using Found = std::optional<QuestionRow>;
    if (id == 0 || has_ended(id)) return Found();
    for (const QuestionRow& row : batch_.questions) {
        if (row.id == id) return row.recipient == recipient ? Found(row) : Found();
    }
    Wanted wanted;
    wanted.questions_to.push_back({recipient, id - 1, 1});
    auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    auto& rows = facts->questions_to.front();
    return rows.empty() || rows.front().id != id ? Found() : Found(std::move(rows.front()));
}

Result<std::uint32_t, StoreError> QuestionOverlay::count(const ProducerId& recipient) {
    Wanted wanted;
    wanted.question_counts.push_back(recipient);
    const auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    const auto is_theirs = [&](const auto& one) { return one.recipient == recipient; };
    const auto& asked = batch_.questions;
    const auto& ended = batch_.ended_questions;
    return static_cast<std::uint32_t>(facts->question_counts.front() +
                                      std::count_if(asked.begin(), asked.end(), is_theirs) -
                                      std::count_if(ended.begin(), ended.end(), is_theirs));
}

void QuestionOverlay::put(QuestionRow row) {
    VERIFY(row.id == last_ + 1);
    last_ = row.id;
    batch_.questions.push_back(std::move(row));
}

void QuestionOverlay::end(std::uint64_t id, const ProducerId& recipient) {
    if (!has_ended(id)) batch_.ended_questions.push_back({id, recipient});
}

void QuestionOverlay::mark() {
    marked_ = batch_.questions.size();
    marked_ended_ = batch_.ended_questions.size();
}

void QuestionOverlay::undo() {
    batch_.questions.resize(marked_);
    batch_.ended_questions.resize(marked_ended_);
}

void QuestionOverlay::reopened(const Store& store) {
    last_ = std::max(last_, store.numbers().question);
}

}  // namespace oncewire::store
