#include "tests/sim/indexed_db.hpp"

#include <algorithm>
#include <utility>

namespace oncewire::sim {

bool StoredLane::holds(MessageId message) const {
    return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
        return Witness::message_in(entry.second.message) == message;
    });
}

void IndexedDb::submit(Change change, Done done) {
    queue_.push_back({std::move(change), std::move(done)});
    if (queue_.size() == 1) begin_next();
}

void IndexedDb::begin_next() {
    if (queue_.empty()) return;
    const Millis time = env_.faults.strikes(Fault::idb_slow, 1, 8)
                            ? env_.choices.long_tailed("slow transaction", 50, 10'000)
                            : env_.choices.delay("transaction", 0, 8);
    env_.heap.after(time, [this, life = life_] { attempt(life); });
}

void IndexedDb::attempt(std::uint64_t life) {
    if (life != life_) return;
    if (env_.faults.strikes(Fault::idb_abort, 1, 10)) return begin_next();
    const bool refused = refuses();
    const Transaction transaction = std::move(queue_.front());
    queue_.pop_front();
    if (!refused) land(transaction.change);
    begin_next();
    transaction.done(!refused);
}

/// The disk is full, or the quota is used up.
bool IndexedDb::refuses() {
    if (env_.faults.strikes(Fault::idb_refused, 1, 12)) {
        refuse(env_.choices.long_tailed("refusal", 1, 30'000));
    }
    const bool refused = env_.faults.is_possible(Fault::idb_refused) && env_.now() < refuses_until_;
    if (refused) env_.note("storage refuses");
    return refused;
}

void IndexedDb::refuse(Millis time) { refuses_until_ = env_.now() + time; }

void IndexedDb::land(const Change& change) {
    if (env_.faults.is_possible(Fault::idb_rolled_back)) keep_copy();
    change(lane_);
    note_answers();
    env_.witness.check_durable_reader(lane_.cursor, lane_.shown);
}

/// Of a history before this one a copy is rather kept: what it holds has met another server since.
void IndexedDb::keep_copy() {
    const bool is_of_this_history = !copy_ || copied_in_ == env_.witness.epoch();
    if (!env_.choices.chance("copy", 1, is_of_this_history ? 4 : 40)) return;
    copy_ = lane_;
    copied_in_ = env_.witness.epoch();
}

void IndexedDb::page_gone() {
    ++life_;
    const auto pending = static_cast<std::uint32_t>(queue_.size());
    const bool loses = pending > 0 && env_.faults.strikes(Fault::save_lost, 3, 4);
    std::uint32_t lost = loses ? env_.choices.between("lost transactions", 1, pending) : 0;
    for (; queue_.size() > lost; queue_.pop_front()) land(queue_.front().change);
    queue_.clear();
}

bool IndexedDb::roll_back() {
    if (!copy_) return false;
    const StoredLane lost = std::exchange(lane_, *copy_);
    for (const auto& [sequence, entry] : lost.entries) {
        const auto id = Witness::message_in(entry.message);
        if (id && !lane_.holds(*id)) env_.witness.release(*id);
    }
    env_.witness.questions.rolled_back(lane_.producer.id);
    note_answers();
    return true;
}

void IndexedDb::note_answers() {
    for (const auto& [sequence, entry] : lane_.entries)
        env_.witness.questions.stored(lane_.producer.id, entry.message);
}

}  // namespace oncewire::sim
