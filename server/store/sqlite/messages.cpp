// What durable handlers do inside a transaction besides the log: go back, leave tasks, use tables of their
// own.
//
// VERIFY here: the sequencer begins, writes and ends in order, whatever a peer makes it write.
#include <utility>

#include "server/store/sqlite/connection.hpp"
#include "server/store/sqlite/store.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::store {

using sqlite::Run;

// ---- marks --------------------------------------------------------------------------------------

Result<void, StoreError> SqliteStore::mark() {
    VERIFY(in_transaction_);
    if (const auto kept = keep_marked(); !kept) return kept;
    has_mark_ = true;
    marked_head_ = head_;
    return {};
}

/// Before anything is written that cannot wait: from here on SQLite goes back, too.
Result<void, StoreError> SqliteStore::open_mark() {
    if (broken_) return Err{*broken_};
    if (!has_mark_ || has_savepoint_) return {};
    const Run run(connection_->mark);
    if (run.error()) return fail(*run.error());
    has_savepoint_ = true;
    return write_waiting();
}

/// Before anything is read that may be among what waits.
Result<void, StoreError> SqliteStore::see_waiting() {
    if (!waiting_.empty()) return open_mark();
    return broken_ ? Result<void, StoreError>(Err{*broken_}) : Result<void, StoreError>();
}

/// Nobody goes back to the mark any more.
Result<void, StoreError> SqliteStore::keep_marked() {
    if (broken_) return Err{*broken_};
    if (std::exchange(has_savepoint_, false)) {
        const Run run(connection_->release);
        if (run.error()) return fail(*run.error());
    }
    has_mark_ = false;
    touched_rooms_.clear();
    return write_waiting();
}

Result<void, StoreError> SqliteStore::write_waiting() {
    for (const auto& each : std::exchange(waiting_, {})) {
        const auto written = std::visit([this](const auto& one) { return this->write(one); }, each);
        if (!written) return written;
    }
    return {};
}

Result<void, StoreError> SqliteStore::write(const WaitingEntry& waiting) {
    const auto& [entry, room] = waiting;
    const Run run(connection_->append, entry.offset, room, entry.room_seq,
                  std::string_view(entry.data), entry.stored_at.value);
    if (run.error()) return fail(*run.error());
    return {};
}

Result<void, StoreError> SqliteStore::write(const WaitingOnce& waiting) {
    const auto& [id, row] = waiting;
    const Run run(connection_->put_once, std::string_view(id), row.offset,
                  std::string_view(row.scope), std::string_view(row.body));
    if (run.error()) return fail(*run.error());
    return {};
}

/// Rooms are written at the commit only, so they go back here, newest change first.
Result<void, StoreError> SqliteStore::undo() {
    VERIFY(in_transaction_ && has_mark_);
    if (broken_) return Err{*broken_};
    waiting_.clear();
    if (has_savepoint_) {
        const Run run(connection_->undo);
        if (run.error()) return fail(*run.error());
    }
    head_ = marked_head_;
    for (; !touched_rooms_.empty(); touched_rooms_.pop_back()) {
        auto& [room, before] = touched_rooms_.back();
        if (room->second.changed && !before.changed) std::erase(changed_rooms_, room);
        room->second = before;
    }
    return {};
}

// ---- tasks --------------------------------------------------------------------------------------

Result<void, StoreError> SqliteStore::put_task(const TaskRow& row) {
    VERIFY(in_transaction_ && row.id == last_task_ + 1);
    if (const auto opened = open_mark(); !opened) return opened;
    last_task_ = row.id;
    const Run run(connection_->put_task, row.id, std::string_view(row.key),
                  std::string_view(row.name), std::string_view(row.payload));
    if (run.error()) return fail(*run.error());
    return {};
}

Result<void, StoreError> SqliteStore::erase_task(std::uint64_t id) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened) return opened;
    const Run run(connection_->erase_task, id);
    if (run.error()) return fail(*run.error());
    return {};
}

Result<std::vector<TaskRow>, StoreError> SqliteStore::tasks(std::uint64_t after,
                                                            std::uint32_t count_max) {
    if (broken_) return Err{*broken_};
    std::vector<TaskRow> found;
    Run run(connection_->tasks, after, std::uint64_t{count_max});
    for (; run.has_row(); run.step()) {
        found.push_back({run.number(0), run.text(1), run.text(2), run.text(3)});
    }
    if (run.error()) return fail(*run.error());
    return found;
}

// ---- questions ----------------------------------------------------------------------------------

namespace {

QuestionRow question_in(const Run& run) {
    return {run.number(0), ProducerId(run.text(1)),   run.text(2), run.text(3),
            run.text(4),   UnixMillis{run.integer(5)}};
}

std::vector<QuestionRow> questions_in(Run& run) {
    std::vector<QuestionRow> found;
    for (; run.has_row(); run.step()) found.push_back(question_in(run));
    return found;
}

}  // namespace

Result<void, StoreError> SqliteStore::put_question(const QuestionRow& row) {
    VERIFY(in_transaction_ && row.id == last_question_ + 1);
    if (const auto opened = open_mark(); !opened) return opened;
    last_question_ = row.id;
    const Run run(connection_->put_question, row.id, std::string_view(row.recipient.text),
                  std::string_view(row.key), std::string_view(row.nsp), std::string_view(row.data),
                  row.expires_at.value);
    if (run.error()) return fail(*run.error());
    return {};
}

Result<void, StoreError> SqliteStore::erase_question(std::uint64_t id) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened) return opened;
    const Run run(connection_->erase_question, id);
    if (run.error()) return fail(*run.error());
    return {};
}

Result<std::optional<QuestionRow>, StoreError> SqliteStore::find_question(std::string_view key) {
    if (broken_) return Err{*broken_};
    const Run run(connection_->find_question, key);
    if (run.error()) return fail(*run.error());
    return run.has_row() ? std::optional(question_in(run)) : std::nullopt;
}

Result<std::vector<QuestionRow>, StoreError> SqliteStore::questions_to(const ProducerId& recipient,
                                                                       std::uint64_t after,
                                                                       std::uint32_t count_max) {
    if (broken_) return Err{*broken_};
    Run run(connection_->questions_to, std::string_view(recipient.text), after,
            std::uint64_t{count_max});
    auto found = questions_in(run);
    if (run.error()) return fail(*run.error());
    return found;
}

Result<std::uint32_t, StoreError> SqliteStore::count_questions_to(const ProducerId& recipient) {
    if (broken_) return Err{*broken_};
    const Run run(connection_->count_questions, std::string_view(recipient.text));
    if (run.error()) return fail(*run.error());
    return static_cast<std::uint32_t>(run.number(0));
}

Result<std::vector<QuestionRow>, StoreError> SqliteStore::expiring_questions(
    UnixMillis until, std::uint32_t count_max) {
    if (broken_) return Err{*broken_};
    Run run(connection_->expiring_questions, until.value, std::uint64_t{count_max});
    auto found = questions_in(run);
    if (run.error()) return fail(*run.error());
    return found;
}

// ---- the application's own tables ---------------------------------------------------------------

Result<std::vector<SqlRow>, SqlError> SqliteStore::run_sql(std::string_view statement,
                                                           const std::vector<SqlValue>& values) {
    VERIFY(in_transaction_);
    if (const auto opened = open_mark(); !opened)
        return Err{SqlError{opened.error(), false, error_text(opened.error())}};
    auto rows = connection_->foreign.run(connection_->database, statement, values);
    if (!rows && rows.error().store) broken_ = *rows.error().store;
    return rows;
}

}  // namespace oncewire::store
