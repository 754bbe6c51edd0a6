#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "server/store/store.hpp"

namespace oncewire::store {

/// Work that is left for later, as a batch leaves it.
class TaskOverlay {
  public:
    TaskOverlay(Store& store, Batch& batch) : batch_(batch), last_(store.numbers().task) {}

    /// The newest number given. None is used twice while a process runs, so undo() does not give it back.
    std::uint64_t last() const { return last_; }
    /// `row.id` must be last() + 1.
    void put(TaskRow row);
    void end(std::uint64_t id) { batch_.ended_tasks.push_back(id); }

    void mark() { marked_ = batch_.tasks.size(); }
    void undo() { batch_.tasks.resize(marked_); }
    /// The store was opened anew.
    void reopened(const Store& store);

  private:
    Batch& batch_;
    std::uint64_t last_;
    std::size_t marked_ = 0;
};

}  // namespace oncewire::store
