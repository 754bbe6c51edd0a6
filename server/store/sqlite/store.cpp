// VERIFY here: the sequencer calls it between batches, whatever a peer makes it write.
#include "server/store/sqlite/store.hpp"

#include <algorithm>
#include <utility>

#include "server/store/sqlite/application_tables.hpp"
#include "server/store/sqlite/backup.hpp"
#include "server/store/sqlite/connection.hpp"
#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/eyes.hpp"
#include "server/store/sqlite/files.hpp"
#include "server/store/sqlite/schema.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::store {
namespace {

using sqlite::Failure;
using sqlite::Run;

constexpr const char* memory_path = ":memory:";
std::string lost_messages(const LogHead& found, const LogHead& known) {
    return "it has lost messages that were stored: it ends at " + std::to_string(found.offset) +
           ", and had got to " + std::to_string(known.offset) +
           ". Keep all its files; if an older copy was put back on purpose, start once with "
           "--restored";
}

/// Something was stored in it, whatever the file looks like now.
bool was_used(const std::string& path) {
    if (path == memory_path) return false;
    const auto known = sqlite::HeadMark(path, sqlite::HeadMark::Use::inspect).read();
    return known && known->offset > 0;
}

SqliteStore::OpenError sentence_for(const std::string& path, const Failure& failure) {
    return {failure.error, "cannot open the database '" + path + "': " + failure.reason};
}

}  // namespace

Result<std::unique_ptr<SqliteStore>, SqliteStore::OpenError> SqliteStore::open(
    const std::string& path, const delivery::Epoch& epoch_if_new) {
    return open(path, epoch_if_new, Options());
}

Result<std::unique_ptr<SqliteStore>, SqliteStore::OpenError> SqliteStore::open(
    const std::string& path, const delivery::Epoch& epoch_if_new, Options options) {
    if (path != memory_path) {
        if (const auto made = sqlite::make_file(path); !made) {
            return Err{sentence_for(path, made.error())};
        }
    }
    auto connection = Connection::open(
        path, {&epoch_if_new, options.restored || !was_used(path), options.durability});
    if (!connection) return Err{sentence_for(path, connection.error())};
    const sqlite::UnflushedMark unflushed(path);
    if (options.restored || unflushed.is_of_earlier_boot()) {
        const auto renamed = sqlite::replace_epoch((*connection)->database, epoch_if_new);
        if (!renamed) return Err{sentence_for(path, renamed.error())};
    }
    std::unique_ptr<SqliteStore> store(new SqliteStore(path, options, std::move(*connection)));
    if (const auto loaded = store->load(); !loaded) return Err{sentence_for(path, loaded.error())};
    if (options.durability == Durability::disk) {
        unflushed.clear();  // load() has flushed what was there
    } else if (path != memory_path) {
        if (!unflushed.set())
            return Err{sentence_for(path, {StoreError::io, "nothing can be written beside it"})};
        store->unflushed_ = std::make_unique<sqlite::UnflushedMark>(unflushed);
    }
    if (store->ballast_) store->ballast_->restore();
    return store;
}

SqliteStore::SqliteStore(std::string path, Options options, std::unique_ptr<Connection> connection)
    : path_(std::move(path)),
      options_(options),
      connection_(std::move(connection)),
      tables_(std::make_unique<Tables>(*this)),
      eyes_(std::make_unique<Eyes>(*this)) {
    if (path_ == memory_path) return;
    mark_ = std::make_unique<sqlite::HeadMark>(path_);
    if (options_.ballast_bytes > 0) {
        ballast_ = std::make_unique<sqlite::Ballast>(path_, options_.ballast_bytes);
    }
}

SqliteStore::~SqliteStore() {
    for (const auto& door : doors_) door->close();
    if (!unflushed_) return;
    backup_.reset();
    connection_.reset();
    sqlite::flush_file(path_ + "-wal");  // there if somebody else has the database open
    if (sqlite::flush_file(path_)) unflushed_->clear();
}

Durability SqliteStore::durability() const {
    return path_ == memory_path ? Durability::memory : options_.durability;
}

// ---- one transaction ----------------------------------------------------------------------------

std::optional<StoreError> SqliteStore::trouble() const {
    if (needs_reopen_) return StoreError::io;
    return spoilt_;
}

Result<void, StoreError> SqliteStore::begin() {
    if (const auto error = trouble()) return Err{*error};
    if (in_transaction_) return {};
    if (!has_space()) return Err{StoreError::full};
    if (const auto error = Run(connection_->begin).error()) return Err{*error};
    in_transaction_ = true;
    return {};
}

WriteOutcome SqliteStore::commit() {
    if (!Run(connection_->commit).error()) {
        in_transaction_ = has_savepoint_ = false;
        return WriteOutcome::committed;
    }
    rollback();
    needs_reopen_ = true;
    return WriteOutcome::unknown;
}

void SqliteStore::rollback() {
    if (!in_transaction_) return;
    // Some errors have ended it already.
    if (connection_->database.in_transaction()) Run(connection_->rollback);
    in_transaction_ = has_savepoint_ = false;
    spoilt_.reset();
    connection_->writer.forget();
}

Written SqliteStore::write(const Batch& batch) {
    const auto refuse = [this](StoreError error) {
        rollback();
        return Written{.outcome = WriteOutcome::refused, .error = error};
    };
    if (const auto begun = begin(); !begun) return refuse(begun.error());
    const auto fence =
        fence_ > 0 ? Result<std::uint64_t, Failure>(fence_) : connection_->writer.take_fence();
    if (!fence) return refuse(fence.error().error);
    const auto is_ours = connection_->writer.may_write(batch.from, *fence);
    if (!is_ours) return refuse(is_ours.error());
    if (!*is_ours) {
        rollback();
        return {.outcome = WriteOutcome::moved};
    }
    auto written = connection_->writer.write(batch);
    if (!written) return refuse(written.error());
    written->outcome = commit();
    if (written->outcome != WriteOutcome::committed) return *written;
    fence_ = *fence;
    const bool has_grown = batch.to > head_.offset;
    head_.offset = batch.to;
    if (mark_ && has_grown) mark_->write(head_);
    if (!batch.tasks.empty()) numbers_.task = batch.tasks.back().id;
    if (!batch.questions.empty()) numbers_.question = batch.questions.back().id;
    return *written;
}

Result<Facts, StoreError> SqliteStore::fetch(const Wanted& wanted) {
    if (const auto error = trouble()) return Err{*error};
    return connection_->fetcher.fetch(wanted);
}

Result<void, StoreError> SqliteStore::reopen() {
    rollback();
    needs_reopen_ = true;
    // What is in memory would be gone, and has no disk that could have failed.
    if (path_ != memory_path) {
        for (const auto& door : doors_) door->close();
        backup_.reset();
        connection_.reset();
        auto opened = Connection::open(path_, {nullptr, false, options_.durability});
        if (!opened) return Err{opened.error().error};
        connection_ = std::move(*opened);
    }
    if (const auto loaded = load(); !loaded) return Err{loaded.error().error};
    needs_reopen_ = false;
    for (const auto& door : doors_) door->open();
    return {};
}

Result<bool, StoreError> SqliteStore::erase_traces() {
    VERIFY(!in_transaction_);
    if (const auto error = trouble()) return Err{*error};
    const auto emptied = connection_->database.empty_log();
    if (!emptied) return Err{emptied.error().error};
    return *emptied;
}

ApplicationTables& SqliteStore::tables() { return *tables_; }

Reading& SqliteStore::reading() { return *eyes_; }

std::unique_ptr<Reading> SqliteStore::open_reading() {
    if (path_ == memory_path) return nullptr;
    return std::make_unique<SqliteReading>(
        doors_.emplace_back(std::make_shared<SqliteReading::Door>(path_)));
}

// ---- copies -------------------------------------------------------------------------------------

Result<void, SqliteStore::OpenError> SqliteStore::begin_backup(const std::string& to) {
    if (backup_) return Err{OpenError{StoreError::busy, "a backup is being made already"}};
    if (!connection_) return Err{sentence_for(path_, {StoreError::io, "it is not open"})};
    auto begun = SqliteBackup::begin(connection_->database, to);
    if (!begun) return Err{begun.error()};
    backup_ = std::move(*begun);
    return {};
}

Result<bool, SqliteStore::OpenError> SqliteStore::step_backup() {
    VERIFY(!in_transaction_);
    if (!backup_) {
        return Err{OpenError{StoreError::io, "the database had to be reopened; start again"}};
    }
    auto stepped = backup_->step();
    if (!stepped || *stepped) backup_.reset();
    return stepped;
}

// ---- the file -----------------------------------------------------------------------------------

/// Makes what the file holds the committed state, durably.
Result<void, Failure> SqliteStore::load() {
    auto& database = connection_->database;
    if (const auto written = database.rewrite_log(); !written) return written;
    const auto found = connection_->log.head();
    if (!found) return Err{found.error()};
    const auto last_task = database.integer("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'");
    if (!last_task) return Err{last_task.error()};
    const auto last_question =
        database.integer("SELECT seq FROM sqlite_sequence WHERE name = 'questions'");
    if (!last_question) return Err{last_question.error()};
    const auto newest = newest_known();
    if (newest && found->epoch == newest->epoch && found->offset < newest->offset) {
        // To go on would give the offsets of durable messages to other messages.
        return Err{Failure{StoreError::corrupt, lost_messages(*found, *newest)}};
    }
    // Where nothing can be written now, reading goes on; the first batch takes it then.
    const auto fence = connection_->writer.take_fence();
    if (!fence && fence.error().error == StoreError::corrupt) return Err{fence.error()};
    fence_ = fence ? *fence : 0;
    head_ = *found;
    // Both slots: one of another history must not be taken for the newer one.
    for (int slot = 0; mark_ && slot < 2; ++slot) mark_->write(head_);
    database.tidy_at_end();
    numbers_ = {static_cast<std::uint64_t>(*last_task), static_cast<std::uint64_t>(*last_question)};
    return {};
}

/// How far the log had got, as this process or an earlier one saw it.
std::optional<LogHead> SqliteStore::newest_known() const {
    if (!head_.epoch.text.empty()) return head_;
    return mark_ ? mark_->read() : std::nullopt;
}

/// Without the ballast messages wait until there is room for it again, so that the store does not swing
/// between full and not.
bool SqliteStore::has_space() {
    if (path_ == memory_path) return true;
    const std::uint64_t free = sqlite::free_bytes_beside(path_);
    if (free < options_.free_bytes_min) {
        if (ballast_) ballast_->drop();
        return false;
    }
    return true;
}

}  // namespace oncewire::store
