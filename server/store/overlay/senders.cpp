#include "server/store/overlay/senders.hpp"

#include <algorithm>
#include <utility>

namespace oncewire::store {
namespace {

using Verdicts = std::vector<std::pair<delivery::Sequence, StoredVerdict>>;

template <class Rows>
auto find_place(Rows& rows, delivery::Sequence sequence) {
    return std::lower_bound(
        rows.begin(), rows.end(), sequence,
        [](const auto& one, delivery::Sequence wanted) { return one.first < wanted; });
}

}  // namespace

const SenderChange* SenderOverlay::find_change(const ProducerId& id) const {
    const auto found = batch_.senders.find(id);
    return found == batch_.senders.end() ? nullptr : &found->second;
}

Result<std::optional<ProducerRow>, StoreError> SenderOverlay::find(const ProducerId& id) {
    const SenderChange* change = find_change(id);
    if (change && change->row) return change->row;
    Wanted wanted;
    wanted.producers.push_back(id);
    auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    return std::move(facts->producers.front());
}

void SenderOverlay::put(const ProducerRow& row) { batch_.senders[row.identity.id].row = row; }

Result<std::optional<StoredVerdict>, StoreError> SenderOverlay::find_verdict(
    const ProducerId& id, delivery::Sequence sequence) {
    if (const SenderChange* change = find_change(id)) {
        const auto place = find_place(change->verdicts, sequence);
        if (place != change->verdicts.end() && place->first == sequence)
            return std::optional(place->second);
    }
    Wanted wanted;
    wanted.verdicts.push_back({id, sequence});
    auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    return std::move(facts->verdicts.front());
}

Result<Facts::ByDigest, StoreError> SenderOverlay::find_by_digest(const ProducerId& id,
                                                                  delivery::Digest digest) {
    if (const SenderChange* change = find_change(id)) {
        for (const auto& [sequence, verdict] : change->verdicts) {
            if (verdict.digest == digest) return Facts::ByDigest{true, verdict};
        }
    }
    Wanted wanted;
    wanted.digests.push_back({id, digest});
    auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    return std::move(facts->digests.front());
}

void SenderOverlay::put_verdict(const ProducerId& id, delivery::Sequence sequence,
                                StoredVerdict verdict) {
    Verdicts& verdicts = batch_.senders[id].verdicts;
    const auto place = find_place(verdicts, sequence);
    if (place != verdicts.end() && place->first == sequence) {
        place->second = std::move(verdict);
    } else {
        verdicts.emplace(place, sequence, std::move(verdict));
    }
}

}  // namespace oncewire::store
