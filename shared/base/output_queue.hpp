#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace oncewire {

/// What a decider wants done, first in first out. One vector that, when all is taken, keeps storage of
/// `keep_bytes` at most: nothing where there is a decider for each connection and most of them are idle.
template <class T, std::size_t keep_bytes = 4096>
class OutputQueue {
  public:
    void push_back(T output) { outputs_.push_back(std::move(output)); }

    std::optional<T> poll() {
        if (taken_ == outputs_.size()) return std::nullopt;
        T output = std::move(outputs_[taken_++]);
        if (taken_ == outputs_.size()) {
            outputs_.clear();
            taken_ = 0;
            // Not `= {}`, which would assign no elements and keep the storage.
            if (outputs_.capacity() * sizeof(T) > keep_bytes) outputs_ = std::vector<T>();
        }
        return output;
    }

    bool empty() const { return taken_ == outputs_.size(); }

  private:
    std::vector<T> outputs_;
    std::size_t taken_ = 0;
};

}  // namespace oncewire
