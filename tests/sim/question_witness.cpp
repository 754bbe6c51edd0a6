#include "tests/sim/question_witness.hpp"

#include <utility>

#include "tests/sim/invariants.hpp"

namespace oncewire::sim {
namespace {

std::string title_of(QuestionId id) { return "question " + std::to_string(id); }

}  // namespace

void QuestionWitness::asked(delivery::Offset place, std::optional<QuestionId> id) {
    asked_.erase(asked_.lower_bound(place), asked_.end());  // what was tried there did not land
    if (id) asked_.emplace(place, *id);
}

std::string QuestionWitness::over(QuestionId id, delivery::Offset place, std::string_view how) {
    return R"(["over",)" + std::to_string(id) + ',' + std::to_string(place) + ",\"" +
           std::string(how) + "\"]";
}

/// Of `["question",id]` and of `["over",id,…]`.
std::optional<QuestionId> QuestionWitness::question_in(std::string_view data) {
    if (!is_over(data) && !data.starts_with(R"(["question",)")) return std::nullopt;
    QuestionId id = 0;
    for (std::size_t i = data.find(',') + 1; i < data.size() && data[i] >= '0' && data[i] <= '9';
         ++i)
        id = id * 10 + static_cast<QuestionId>(data[i] - '0');
    return id;
}

void QuestionWitness::expires(QuestionId id, UnixMillis now) {
    const auto row = open_.find(id);
    if (row == open_.end())
        return report_(Breach::leaked, title_of(id) + " expires, but is not open");
    if (row->second.expires_at.value > now.value)
        report_(Breach::dishonest, title_of(id) + " expires too early");
}

void QuestionWitness::look_at_disk(const store::MemoryDisk& disk) {
    if (std::exchange(epoch_, disk.epoch.text) != disk.epoch.text) {
        read_to_ = 0;
        over_.clear();
        open_.clear();
        asked_.clear();
    }
    const auto& log = disk.tables.log;
    while (read_to_ < log.size()) read(log[read_to_++]);
    const auto before = std::exchange(open_, {});
    for (const auto& [number, row] : disk.tables.questions) open_[*question_in(row.data)] = row;
    for (const auto& [id, row] : open_) {
        if (over_.contains(id)) report_(Breach::dishonest, title_of(id) + " is open although over");
    }
    for (const auto& [id, row] : before) {
        if (!open_.contains(id) && !over_.contains(id))
            report_(Breach::lost, title_of(id) + " is gone without an effect");
    }
    while (!asked_.empty() && asked_.begin()->first <= log.size()) {
        const QuestionId id = asked_.extract(asked_.begin()).mapped();
        if (!open_.contains(id) && !over_.contains(id))
            report_(Breach::lost, title_of(id) + " is not stored with its message");
    }
}

void QuestionWitness::read(const store::LogEntry& entry) {
    if (!is_over(entry.data)) return;
    const QuestionId id = *question_in(entry.data);
    const auto how = entry.data.substr(entry.data.rfind(',') + 2);
    const std::string word = how.substr(0, how.size() - 2);
    if (!over_.emplace(id, word).second)
        report_(Breach::duplicated, title_of(id) + " ended twice: " + over_[id] + ", " + word);
    if (word != "expired" && word != "cancelled" && !answers_[id].contains(word))
        report_(Breach::leaked, title_of(id) + " was not answered so by any page: " + word);
}

void QuestionWitness::given_out(const mail::Ask& ask, const store::MemoryDisk& disk) {
    const auto row = disk.tables.questions.find(ask.number);
    if (row == disk.tables.questions.end() || row->second.data != ask.data)
        report_(Breach::leaked, "asked what is not open: " + ask.data);
}

const store::QuestionRow* QuestionWitness::open_question(std::uint32_t choice) const {
    if (open_.empty()) return nullptr;
    return &std::next(open_.begin(), choice % static_cast<std::uint32_t>(open_.size()))->second;
}

void QuestionWitness::handed_on(AskedPage& page, const ProducerId& producer,
                                const delivery::Position& question, std::string_view data) {
    const std::string what = std::string(data) + " as " + format(question);
    const bool same_log = page.newest && page.newest->epoch == question.epoch;
    if (same_log && page.newest->offset == question.offset)
        report_(Breach::duplicated, "a page was asked twice: " + what);
    if (same_log && page.newest->offset > question.offset)
        report_(Breach::reordered, "a page was asked late: " + what);
    if (is_stored(producer, question))
        report_(Breach::duplicated, "a page was asked although its answer is stored: " + what);
    page.newest = question;
}

void QuestionWitness::answered(QuestionId id, std::string_view value) {
    answers_[id].emplace(value);
}

void QuestionWitness::stored(const ProducerId& producer, std::string_view message) {
    if (const auto answer = delivery::parse_answer(message))
        stored_[producer].insert(format(answer->question));
}

bool QuestionWitness::is_stored(const ProducerId& producer,
                                const delivery::Position& question) const {
    const auto answers = stored_.find(producer);
    return answers != stored_.end() && answers->second.contains(format(question));
}

}  // namespace oncewire::sim
