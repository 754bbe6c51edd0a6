// VERIFY here: Tx::defer() numbers its tasks, whatever a peer makes a handler do.
#include "server/store/overlay/tasks.hpp"

#include <algorithm>
#include <utility>

#include "shared/base/verify.hpp"

namespace oncewire::store {

void TaskOverlay::put(TaskRow row) {
    VERIFY(row.id == last_ + 1);
    last_ = row.id;
    batch_.tasks.push_back(std::move(row));
}

void TaskOverlay::reopened(const Store& store) { last_ = std::max(last_, store.numbers().task); }

}  // namespace oncewire::store
