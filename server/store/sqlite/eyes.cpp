#include "server/store/sqlite/eyes.hpp"

#include <utility>

#include "server/store/sqlite/application_tables.hpp"
#include "server/store/sqlite/connection.hpp"

namespace oncewire::store {

template <class Read>
auto SqliteStore::Eyes::looking(Read read) -> decltype(read()) {
    if (const auto error = store_.trouble()) return Err{*error};
    return read();
}

Result<LogHead, StoreError> SqliteStore::Eyes::look() {
    if (const auto error = store_.trouble()) return Err{*error};
    return store_.head_;
}

void SqliteStore::Eyes::let_go() {
    if (std::exchange(has_run_sql_, false)) store_.rollback();
}

Result<std::vector<LogEntry>, StoreError> SqliteStore::Eyes::read(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    return looking([&] {
        return store_.connection_->log.read(rooms, after, store_.head_.offset, entries_max,
                                            bytes_max);
    });
}

Result<std::vector<LogEntry>, StoreError> SqliteStore::Eyes::read_before(std::string_view room,
                                                                         delivery::Offset before,
                                                                         std::uint32_t entries_max,
                                                                         std::uint64_t bytes_max) {
    return looking([&] {
        return store_.connection_->log.read_before(room, before, store_.head_.offset, entries_max,
                                                   bytes_max);
    });
}

Result<std::optional<LogEntry>, StoreError> SqliteStore::Eyes::find_entry(std::string_view room,
                                                                          delivery::Offset offset) {
    return looking([&] { return store_.connection_->log.find_entry(room, offset); });
}

Result<delivery::Offset, StoreError> SqliteStore::Eyes::trimmed_to(
    const std::vector<std::string>& rooms) {
    return looking([&] { return store_.connection_->log.trimmed_to(rooms); });
}

Result<std::optional<SessionRow>, StoreError> SqliteStore::Eyes::find_session(
    std::string_view pid) {
    return looking([&] { return store_.connection_->sessions.find(pid); });
}

Result<std::vector<RecordedEvent>, StoreError> SqliteStore::Eyes::read_recorded(
    const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
    std::uint64_t bytes_max) {
    return looking([&] {
        return store_.connection_->sessions.read(rooms, after, store_.head_.offset, entries_max,
                                                 bytes_max);
    });
}

Result<Pruned, StoreError> SqliteStore::Eyes::pruned() {
    return looking([&] { return store_.connection_->sessions.pruned(); });
}

Result<std::vector<SqlRow>, SqlError> SqliteStore::Eyes::run_sql(
    std::string_view statement, const std::vector<SqlValue>& values) {
    has_run_sql_ = true;
    return store_.tables_->run(statement, values);
}

}  // namespace oncewire::store
