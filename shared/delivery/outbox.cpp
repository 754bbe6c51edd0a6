#include "shared/delivery/outbox.hpp"

#include <algorithm>
#include <utility>

namespace oncewire::delivery {

Outbox::Outbox(Limits limits, std::uint64_t salt) : limits_(limits), salt_(salt) {}

void Outbox::restore(Sequence next_sequence, std::vector<OutboxEntry> entries) {
    VERIFY(slots_.empty() && next_sequence_ == 1);  // the owner restores once, before all else
    for (auto& entry : entries) take(std::move(entry));
    next_sequence_ = std::max(next_sequence_, next_sequence);
}

void Outbox::take(OutboxEntry entry) {
    // The owner reads them in the order of their numbers.
    VERIFY(slots_.empty() || slots_.back().entry.sequence < entry.sequence);
    bytes_ += entry.message.size();
    next_sequence_ = entry.sequence + 1;
    slots_.push_back({std::move(entry), State::queued, true});
}

Result<Sequence, OutboxError> Outbox::push(std::string message) {
    if (message.size() > limits_.message_bytes_max) return Err{OutboxError::too_large};
    if (size() >= limits_.entries_max) return Err{OutboxError::entries_full};
    if (bytes_ + message.size() > limits_.bytes_max) return Err{OutboxError::bytes_full};
    const Sequence sequence = next_sequence_++;
    bytes_ += message.size();
    const Digest mark = digest(message, salt_ + sequence);
    slots_.push_back({{sequence, mark, std::move(message)}, State::saving, false});
    return sequence;
}

void Outbox::saved(Sequence sequence) {
    if (Slot* slot = slot_of(sequence); slot && slot->state == State::saving) {
        slot->state = State::queued;
    }
}

const OutboxEntry* Outbox::next() {
    if (in_flight_ == size()) return nullptr;
    Slot& slot = slots_[in_flight_];
    if (slot.state == State::saving) return nullptr;  // overtaking it would break the order
    const bool is_new = slot.entry.sequence > seen_;
    if (is_new && slots_.front().entry.sequence <= seen_) return nullptr;
    const std::uint64_t bytes = in_flight_bytes_ + slot.entry.message.size();
    const std::uint32_t under_way = in_flight_ - conflicts_;
    const bool is_full = under_way >= limits_.window || bytes > limits_.window_bytes;
    if (is_full && under_way > 0) return nullptr;
    slot.state = State::in_flight;
    slot.may_have_arrived = true;
    ++in_flight_;
    in_flight_bytes_ = bytes;
    return &slot.entry;
}

/// Out of the air, if it was there.
void Outbox::ground(Slot& slot, State state) {
    if (slot.state == State::in_flight) {
        --in_flight_;
        if (!slot.conflicts) in_flight_bytes_ -= slot.entry.message.size();
    }
    if (std::exchange(slot.conflicts, false)) --conflicts_;
    slot.state = state;
}

std::vector<Sequence> Outbox::rewind(Sequence sequence) {
    std::vector<Sequence> rewound;
    for (auto& slot : slots_) {
        if (slot.state != State::in_flight || slot.entry.sequence < sequence) continue;
        ground(slot, State::queued);
        rewound.push_back(slot.entry.sequence);
    }
    return rewound;
}

bool Outbox::settle(Sequence sequence) {
    const auto found = position_of(sequence);
    if (found == slots_.end()) return false;
    ground(*found, State::queued);
    bytes_ -= found->entry.message.size();
    slots_.erase(found);  // the front, as verdicts come in order: no elements move
    return true;
}

bool Outbox::cancel(Sequence sequence) {
    Slot* slot = slot_of(sequence);
    if (!slot || slot->may_have_arrived) return false;
    bytes_ = bytes_ - slot->entry.message.size() + cancelled_message.size();
    slot->entry.message = std::string(cancelled_message);
    slot->entry.digest = digest(cancelled_message, salt_ + sequence);
    slot->state = State::saving;
    return true;
}

std::vector<Outbox::Renumbered> Outbox::attached(const HighWater& seen) {
    seen_ = seen.last;
    if (slots_.empty()) {
        next_sequence_ = seen.last + 1;
        return {};
    }
    if (slots_.front().entry.sequence > seen.last + 1) return renumber(seen.last + 1);
    next_sequence_ = std::max(next_sequence_, seen.last + 1);
    return {};
}

void Outbox::conflict(Sequence sequence, Sequence last) {
    Slot* slot = slot_of(sequence);
    if (!slot || slot->state != State::in_flight || slot->conflicts) return;
    seen_ = std::max({seen_, last, sequence});
    slot->conflicts = true;
    ++conflicts_;
    in_flight_bytes_ -= slot->entry.message.size();
}

std::vector<Outbox::Renumbered> Outbox::renumber_conflicts() {
    if (conflicts_ == 0) return {};
    for (const Slot& slot : slots_) {
        if (slot.entry.sequence > seen_) break;
        if (!slot.conflicts) return {};
    }
    return renumber(seen_ + 1);
}

std::vector<Outbox::Renumbered> Outbox::renumber(Sequence first) {
    std::vector<Renumbered> changes;
    for (Slot& slot : slots_) {
        ground(slot, State::saving);
        changes.push_back({slot.entry.sequence, first});
        slot.entry.sequence = first++;
        slot.entry.renumbered = true;
    }
    next_sequence_ = first;
    return changes;
}

const OutboxEntry* Outbox::find(Sequence sequence) const {
    const Slot* slot = const_cast<Outbox*>(this)->slot_of(sequence);
    return slot ? &slot->entry : nullptr;
}

std::vector<const OutboxEntry*> Outbox::entries() const {
    std::vector<const OutboxEntry*> all;
    for (const auto& slot : slots_) {
        if (slot.entry.message != cancelled_message) all.push_back(&slot.entry);
    }
    return all;
}

std::deque<Outbox::Slot>::iterator Outbox::position_of(Sequence sequence) {
    const auto found =
        std::lower_bound(slots_.begin(), slots_.end(), sequence,
                         [](const Slot& slot, Sequence q) { return slot.entry.sequence < q; });
    return found != slots_.end() && found->entry.sequence == sequence ? found : slots_.end();
}

Outbox::Slot* Outbox::slot_of(Sequence sequence) {
    const auto found = position_of(sequence);
    return found != slots_.end() ? &*found : nullptr;
}

}  // namespace oncewire::delivery
