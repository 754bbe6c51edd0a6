#include "tests/unit/support/store_user.hpp"

#include <utility>

namespace oncewire::test {

using store::Facts;
using store::Reading;
using store::StoreError;
using store::Wanted;

namespace {

template <class Rows>
Result<Rows, StoreError> rows_of(Result<Facts, StoreError> facts, Rows Facts::*rows) {
    if (!facts) return Err{facts.error()};
    return std::move((*facts).*rows);
}

}  // namespace

// ---- a batch ------------------------------------------------------------------------------------

store::WriteOutcome StoreUser::commit() {
    written_ = overlay_.write();
    return written_.outcome;
}

StoreUser::Done StoreUser::mark() {
    overlay_.mark();
    return {};
}

Result<std::uint64_t, StoreError> StoreUser::next_room_seq(const std::string& room) {
    Wanted wanted;
    wanted.rooms.push_back(room);
    const auto facts = store().fetch(wanted);
    if (!facts) return Err{facts.error()};
    std::uint64_t last = facts->rooms.front().last_seq;
    for (const auto& entry : overlay_.batch().entries) {
        if (entry.room == room) last = entry.room_seq;
    }
    return last + 1;
}

void StoreUser::trim(store::Retention retention, UnixMillis now, std::uint32_t entries_max) {
    overlay_.upkeep().trim = store::Upkeep::Trim{std::move(retention), now, entries_max};
}

StoreUser::Done StoreUser::put_producer(const store::ProducerRow& row) {
    overlay_.senders.put(row);
    return {};
}

StoreUser::Done StoreUser::put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                       store::StoredVerdict verdict) {
    overlay_.senders.put_verdict(id, sequence, std::move(verdict));
    return {};
}

void StoreUser::prepare_digests(const ProducerId& id, std::uint32_t count_max) {
    overlay_.upkeep().prepare_digests.push_back(id);
    overlay_.upkeep().digests_max = count_max;
}

void StoreUser::renew_producer(const ProducerId& id, UnixMillis now) {
    overlay_.upkeep().renewed.emplace_back(id, now);
}

void StoreUser::forget_verdicts(const ProducerId& id, std::uint32_t count_max) {
    overlay_.upkeep().forgotten.push_back(id);
    overlay_.upkeep().verdicts_max = count_max;
}

StoreUser::Done StoreUser::put_once(std::string_view id, store::OnceRow row) {
    overlay_.once.put(id, std::move(row));
    return {};
}

StoreUser::Done StoreUser::put_task(store::TaskRow row) {
    overlay_.tasks.put(std::move(row));
    return {};
}

StoreUser::Done StoreUser::erase_task(std::uint64_t id) {
    overlay_.tasks.end(id);
    return {};
}

StoreUser::Done StoreUser::put_question(store::QuestionRow row) {
    overlay_.questions.put(std::move(row));
    return {};
}

StoreUser::Done StoreUser::erase_question(std::uint64_t id, const ProducerId& recipient) {
    overlay_.questions.end(id, recipient);
    return {};
}

// ---- what is committed --------------------------------------------------------------------------

Result<std::vector<ProducerId>, StoreError> StoreUser::idle_producers(UnixMillis until,
                                                                      std::uint32_t count_max) {
    Wanted wanted;
    wanted.idle_producers = Wanted::Until{until, count_max};
    return rows_of(store().fetch(wanted), &Facts::idle_producers);
}

Result<std::vector<store::TaskRow>, StoreError> StoreUser::tasks(std::uint64_t after,
                                                                 std::uint32_t count_max) {
    Wanted wanted;
    wanted.tasks = Wanted::Tasks{after, count_max};
    return rows_of(store().fetch(wanted), &Facts::tasks);
}

Result<std::vector<store::QuestionRow>, StoreError> StoreUser::questions_to(
    const ProducerId& recipient, std::uint64_t after, std::uint32_t count_max) {
    Wanted wanted;
    wanted.questions_to.push_back({recipient, after, count_max});
    auto facts = store().fetch(wanted);
    if (!facts) return Err{facts.error()};
    return std::move(facts->questions_to.front());
}

Result<std::vector<store::QuestionRow>, StoreError> StoreUser::expiring_questions(
    UnixMillis until, std::uint32_t count_max) {
    Wanted wanted;
    wanted.expiring_questions = Wanted::Until{until, count_max};
    return rows_of(store().fetch(wanted), &Facts::expiring_questions);
}

template <class Read>
auto StoreUser::look(Read read) -> decltype(read(store().reading())) {
    Reading& reading = store().reading();
    const auto head = reading.look();
    if (!head) return Err{head.error()};
    auto answer = read(reading);
    reading.let_go();
    return answer;
}

Result<std::vector<store::LogEntry>, StoreError> StoreUser::read(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    return look([&](Reading& from) { return from.read(rooms, after, entries_max, bytes_max); });
}

Result<std::vector<store::LogEntry>, StoreError> StoreUser::read_before(std::string_view room,
                                                                        delivery::Offset before,
                                                                        std::uint32_t entries_max,
                                                                        std::uint64_t bytes_max) {
    return look(
        [&](Reading& from) { return from.read_before(room, before, entries_max, bytes_max); });
}

Result<delivery::Offset, StoreError> StoreUser::trimmed_to(const std::vector<std::string>& rooms) {
    return look([&](Reading& from) { return from.trimmed_to(rooms); });
}

Result<std::vector<store::RecordedEvent>, StoreError> StoreUser::read_recorded(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    return look(
        [&](Reading& from) { return from.read_recorded(rooms, after, entries_max, bytes_max); });
}

}  // namespace oncewire::test
