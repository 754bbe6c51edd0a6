#pragma once

#include <optional>

#include "server/store/store.hpp"

namespace oncewire::store {

/// Producers, and what they were told, as a batch leaves them.
class SenderOverlay {
  public:
    SenderOverlay(Store& store, Batch& batch) : store_(store), batch_(batch) {}

    Result<std::optional<ProducerRow>, StoreError> find(const ProducerId& id);
    /// `row.forgotten` as find() has it.
    void put(const ProducerRow& row);
    Result<std::optional<StoredVerdict>, StoreError> find_verdict(const ProducerId& id,
                                                                  delivery::Sequence sequence);
    Result<Facts::ByDigest, StoreError> find_by_digest(const ProducerId& id,
                                                       delivery::Digest digest);
    /// The producer has a row, or gets one in this batch.
    void put_verdict(const ProducerId& id, delivery::Sequence sequence, StoredVerdict verdict);

  private:
    const SenderChange* find_change(const ProducerId& id) const;

    Store& store_;
    Batch& batch_;
};

}  // namespace oncewire::store
