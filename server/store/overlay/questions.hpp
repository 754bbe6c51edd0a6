#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "server/store/store.hpp"

namespace oncewire::store {

/// What clients are asked, as a batch leaves it.
class QuestionOverlay {
  public:
    QuestionOverlay(Store& store, Batch& batch)
        : store_(store), batch_(batch), last_(store.numbers().question) {}

    /// The newest number given. None is used twice in one history, so undo() does not give it back.
    std::uint64_t last() const { return last_; }
    Result<std::optional<QuestionRow>, StoreError> find(std::string_view key);
    /// The one with this number, if it is to `recipient`.
    Result<std::optional<QuestionRow>, StoreError> find(const ProducerId& recipient,
                                                        std::uint64_t id);
    /// How many there are to `recipient`.
    Result<std::uint32_t, StoreError> count(const ProducerId& recipient);
    /// `row.id` must be last() + 1, and no question with its key be there.
    void put(QuestionRow row);
    void end(std::uint64_t id, const ProducerId& recipient);

    void mark();
    void undo();
    /// The store was opened anew.
    void reopened(const Store& store);

  private:
    bool has_ended(std::uint64_t id) const;

    Store& store_;
    Batch& batch_;
    std::uint64_t last_;
    std::size_t marked_ = 0;
    std::size_t marked_ended_ = 0;
};

}  // namespace oncewire::store
