#include "server/store/sqlite_backup.hpp"

#include <utility>

#include "server/store/sqlite_files.hpp"
#include "server/store/sqlite_schema.hpp"

namespace oncewire::store {
namespace {

using sqlite::Failure;

constexpr int pages_per_step = 256;

std::string part_of(const std::string& to) { return to + ".part"; }

SqliteStore::OpenError sentence_for(const std::string& to, const Failure& failure) {
    return {failure.error, "cannot make the backup '" + to + "': " + failure.reason};
}

}  // namespace

Result<std::unique_ptr<SqliteBackup>, SqliteStore::OpenError> SqliteBackup::begin(
    sqlite::Database& from, const std::string& to) {
    if (sqlite::exists(to)) {
        return Err{sentence_for(to, {StoreError::io, "there is a file of that name"})};
    }
    sqlite::remove_file(part_of(to));  // of one that was interrupted
    if (const auto made = sqlite::make_file(part_of(to)); !made) {
        return Err{sentence_for(to, made.error())};
    }
    auto opened = sqlite::Database::open(part_of(to));
    if (!opened) return Err{sentence_for(to, opened.error())};
    auto copy = std::make_unique<sqlite::Database>(std::move(*opened));
    auto pages = sqlite::PageCopy::begin(from, *copy);
    if (!pages) return Err{sentence_for(to, pages.error())};
    return std::unique_ptr<SqliteBackup>(new SqliteBackup(to, std::move(copy), std::move(*pages)));
}

SqliteBackup::~SqliteBackup() {
    if (!copy_) return;
    pages_.reset();
    copy_.reset();
    sqlite::remove_file(part_of(to_));
}

Result<bool, SqliteStore::OpenError> SqliteBackup::step() {
    const auto done = pages_->step(pages_per_step);
    if (!done) return Err{sentence_for(to_, done.error())};
    if (!*done) return false;
    if (const auto finished = finish(); !finished) return Err{sentence_for(to_, finished.error())};
    return true;
}

Result<void, Failure> SqliteBackup::finish() {
    pages_.reset();
    // One file, whole by itself: no write-ahead log beside it.
    if (auto done = copy_->execute("PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE");
        !done) {
        return done;
    }
    if (auto done = sqlite::replace_epoch(*copy_, delivery::Epoch{}); !done) return done;
    copy_.reset();
    if (sqlite::rename_file(part_of(to_), to_)) return {};
    sqlite::remove_file(part_of(to_));
    return Err{Failure{StoreError::io, "it could not get its name"}};
}

}  // namespace oncewire::store
