#include "server/store/sqlite/backup.hpp"

#include <algorithm>
#include <utility>

#include "server/store/sqlite/files.hpp"
#include "server/store/sqlite/schema.hpp"

namespace oncewire::store {
namespace {

using sqlite::Failure;

constexpr int pages_per_step = 256;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

SqliteStore::OpenError why_not_copied(const std::string& to, const Failure& failure) {
    return {failure.error, "cannot make the backup '" + to + "': " + failure.reason};
}

}  // namespace

std::optional<SqliteStore::OpenError> SqliteBackup::refuse_name(const std::string& to) {
    if (std::none_of(to.begin(), to.end(), is_control)) return std::nullopt;
    std::string shown = to;
    std::replace_if(shown.begin(), shown.end(), is_control, '?');
    return why_not_copied(shown,
                          {StoreError::io, "its name has a control character, as a line break"});
}

Result<std::unique_ptr<SqliteBackup>, SqliteStore::OpenError> SqliteBackup::begin(
    sqlite::Database& from, const std::string& to) {
    if (auto refused = refuse_name(to)) return Err{std::move(*refused)};
    if (sqlite::exists(to)) {
        return Err{why_not_copied(to, {StoreError::io, "there is a file of that name"})};
    }
    auto part = sqlite::make_file_beside(to + ".part");
    if (!part) return Err{why_not_copied(to, part.error())};
    std::unique_ptr<SqliteBackup> backup(new SqliteBackup(to, std::move(*part)));
    if (const auto begun = backup->copy_from(from); !begun)
        return Err{why_not_copied(to, begun.error())};
    return backup;
}

Result<void, Failure> SqliteBackup::copy_from(sqlite::Database& from) {
    auto opened = sqlite::Database::open(part_);
    if (!opened) return Err{opened.error()};
    copy_ = std::make_unique<sqlite::Database>(std::move(*opened));
    auto pages = sqlite::PageCopy::begin(from, *copy_);
    if (!pages) return Err{pages.error()};
    pages_ = std::move(*pages);
    return {};
}

SqliteBackup::~SqliteBackup() {
    pages_.reset();
    copy_.reset();
    if (!part_.empty()) sqlite::remove_file(part_);
}

Result<bool, SqliteStore::OpenError> SqliteBackup::step() {
    const auto done = pages_->step(pages_per_step);
    if (!done) return Err{why_not_copied(to_, done.error())};
    if (!*done) return false;
    if (const auto finished = finish(); !finished)
        return Err{why_not_copied(to_, finished.error())};
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
    auto named = sqlite::name_file(part_, to_);
    if (named) part_.clear();
    return named;
}

}  // namespace oncewire::store
