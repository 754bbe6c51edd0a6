#pragma once

#include <string_view>
#include <vector>

#include "server/store/overlay/log.hpp"
#include "server/store/overlay/once.hpp"
#include "server/store/overlay/questions.hpp"
#include "server/store/overlay/senders.hpp"
#include "server/store/overlay/sessions.hpp"
#include "server/store/overlay/tasks.hpp"
#include "server/store/store.hpp"

namespace oncewire::store {

/// What is committed, and over it what a batch is going to write: every question is answered as if the batch were
/// stored already, and nothing reaches the database before write(). So taking back what one message did costs no
/// statement. Not thread-safe.
class Overlay {
    Store& store_;
    Batch batch_;

  public:
    /// `store` outlives it, and nobody else writes to it.
    explicit Overlay(Store& store);
    virtual ~Overlay() = default;
    Overlay(const Overlay&) = delete;
    Overlay& operator=(const Overlay&) = delete;

    LogOverlay log;
    SenderOverlay senders;
    OnceOverlay once;
    TaskOverlay tasks;
    QuestionOverlay questions;
    SessionOverlay sessions;

    Store& store() { return store_; }
    const Store& store() const { return store_; }
    /// The head as the batch will leave it.
    LogHead head() const { return {batch_.from.epoch, batch_.to}; }
    const Batch& batch() const { return batch_; }
    Upkeep& upkeep() { return batch_.upkeep; }
    /// On the application's own tables, as part of the batch.
    Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                  const std::vector<SqlValue>& values);

    /// Remembers the batch as it is; the newest mark counts. Of `senders` and `sessions`, which no handler changes,
    /// nothing is undone. Planted bugs of the simulator replace both.
    virtual void mark();
    virtual Result<void, StoreError> undo();

    /// Ends the batch. However that ends, the next one begins, on what is committed.
    Written write();
    /// The batch that write() ended last.
    Batch& written() { return written_; }
    /// Nothing of the batch is stored.
    void drop();
    /// Opens the store anew; see Store::reopen().
    Result<void, StoreError> reopen();

  private:
    void begin(bool committed);

    Batch written_;
    bool has_sql_ = false;        // in this batch
    bool is_sql_marked_ = false;  // since the mark
};

}  // namespace oncewire::store
