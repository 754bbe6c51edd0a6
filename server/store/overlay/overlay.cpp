#include "server/store/overlay/overlay.hpp"

#include <utility>

namespace oncewire::store {

Overlay::Overlay(Store& store)
    : store_(store),
      log(store, batch_),
      senders(store, batch_),
      once(store, batch_),
      tasks(store, batch_),
      questions(store, batch_),
      sessions(store, batch_) {
    begin(true);
}

Result<std::vector<SqlRow>, SqlError> Overlay::run_sql(std::string_view statement,
                                                       const std::vector<SqlValue>& values) {
    has_sql_ = true;
    if (!std::exchange(is_sql_marked_, true)) {
        const auto marked = store_.tables().mark();
        if (!marked) return Err{SqlError{marked.error(), false, error_text(marked.error())}};
    }
    return store_.tables().run(statement, values);
}

void Overlay::mark() {
    log.mark();
    once.mark();
    tasks.mark();
    questions.mark();
    is_sql_marked_ = false;
}

Result<void, StoreError> Overlay::undo() {
    log.undo();
    once.undo();
    tasks.undo();
    questions.undo();
    return is_sql_marked_ ? store_.tables().undo() : Result<void, StoreError>();
}

Written Overlay::write() {
    log.finish();
    const Written written = store_.write(batch_);
    written_ = std::exchange(batch_, {});
    begin(written.outcome == WriteOutcome::committed);
    return written;
}

void Overlay::drop() {
    if (has_sql_) store_.tables().drop();
    batch_ = {};
    begin(false);
}

Result<void, StoreError> Overlay::reopen() {
    drop();
    if (const auto reopened = store_.reopen(); !reopened) return reopened;
    tasks.reopened(store_);
    questions.reopened(store_);
    begin(false);
    return {};
}

void Overlay::begin(bool committed) {
    batch_.from = store_.head();
    batch_.to = batch_.from.offset;
    log.end(committed);
    has_sql_ = is_sql_marked_ = false;
    mark();
}

}  // namespace oncewire::store
