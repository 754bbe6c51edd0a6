#include "server/store/sqlite/application_tables.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "server/store/sqlite/connection.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::store {
namespace {

using sqlite::Database;
using sqlite::Run;
using Done = Result<void, std::string>;
/// What was run, by component: the digests of its statements.
using Known = std::map<std::string, std::vector<delivery::Digest>>;

constexpr const char* disk_failed = "cannot prepare the application's tables: the disk failed";

delivery::Digest digest_of(const std::string& statement) { return delivery::digest(statement, 0); }

std::string place_of(const SchemaPart& part, std::size_t step) {
    const std::string name = part.component.empty() ? "" : " of \"" + part.component + '"';
    return "step " + std::to_string(step + 1) + name;
}

Result<Known, std::string> read_known(Database& database) {
    const auto statement = database.prepare(
        "SELECT component, digest FROM application_steps ORDER BY component, step");
    if (!statement) return Err{statement.error().reason};
    Known known;
    Run run(*statement);
    for (; run.has_row(); run.step()) known[run.text(0)].push_back(run.number(1));
    if (run.error()) return Err{std::string(disk_failed)};
    return known;
}

/// Whose the statements are that were run before there were components, whatever they said then.
const SchemaPart& heir_of(const std::vector<SchemaPart>& parts) {
    const auto nameless = std::find_if(parts.begin(), parts.end(),
                                       [](const auto& part) { return part.component.empty(); });
    return nameless == parts.end() ? parts.front() : *nameless;
}

Done newer(const SchemaPart& part, std::size_t done) {
    return Err{"a newer version of the application made its tables (version " +
               std::to_string(done) + (part.component.empty() ? "" : " of " + part.component) +
               ", this one knows " + std::to_string(part.statements.size()) + ")"};
}

/// What was run stays what it was.
Done compare(const SchemaPart& part, const std::vector<delivery::Digest>& known) {
    if (known.size() > part.statements.size()) return newer(part, known.size());
    for (std::size_t step = 0; step < known.size(); ++step) {
        if (digest_of(part.statements[step]) == known[step]) continue;
        return Err{"the statement that made the application's tables, " + place_of(part, step) +
                   ", is not what it was when it was run: leave it as it was, and add what is new "
                   "as a further one"};
    }
    return {};
}

Done run_step(Database& database, const SchemaPart& part, std::size_t step) {
    auto statement = database.prepare_foreign(part.statements[step], true);
    std::optional<SqlError> error;
    if (!statement) error = statement.error();
    if (statement) error = Run(*statement, std::vector<SqlValue>()).sql_error();
    if (!error) return {};
    return Err{"cannot prepare the application's tables, " + place_of(part, step) + ": " +
               error->reason};
}

Done note_step(Database& database, const SchemaPart& part, std::size_t step) {
    const auto insert = database.prepare("INSERT INTO application_steps VALUES (?1, ?2, ?3)");
    if (!insert) return Err{insert.error().reason};
    const Run run(*insert, std::string_view(part.component), std::uint64_t{step},
                  digest_of(part.statements[step]));
    if (run.error()) return Err{std::string(disk_failed)};
    return {};
}

/// Runs what is new of `part`, and notes what was run before it was noted.
Done bring_forward(Database& database, const SchemaPart& part, std::size_t run_before,
                   std::size_t noted) {
    for (std::size_t step = noted; step < part.statements.size(); ++step) {
        if (step >= run_before) {
            if (auto done = run_step(database, part, step); !done) return done;
        }
        if (auto done = note_step(database, part, step); !done) return done;
    }
    return {};
}

}  // namespace

Done SqliteStore::Tables::prepare(const std::vector<SchemaPart>& parts) {
    if (parts.empty()) return {};
    auto& database = store_.connection_->database;
    const auto known = read_known(database);
    if (!known) return Err{known.error()};
    const auto without_parts = database.integer("SELECT application FROM meta");
    if (!without_parts) return Err{without_parts.error().reason};
    if (const auto begun = store_.begin(); !begun)
        return Err{std::string(error_text(begun.error()))};
    for (const SchemaPart& part : parts) {
        const auto found = known->find(part.component);
        const auto noted = found == known->end() ? std::vector<delivery::Digest>() : found->second;
        const bool inherits = known->empty() && &part == &heir_of(parts);
        const auto run_before = inherits ? static_cast<std::size_t>(*without_parts) : noted.size();
        auto done =
            run_before > part.statements.size() ? newer(part, run_before) : compare(part, noted);
        if (done) done = bring_forward(database, part, run_before, noted.size());
        if (done) continue;
        store_.rollback();
        return done;
    }
    if (store_.commit() == WriteOutcome::committed) return {};
    return Err{std::string(disk_failed)};
}

Result<std::vector<SqlRow>, SqlError> SqliteStore::Tables::run(
    std::string_view statement, const std::vector<SqlValue>& values) {
    if (const auto begun = store_.begin(); !begun)
        return Err{SqlError{begun.error(), false, error_text(begun.error())}};
    auto rows = store_.connection_->foreign.run(store_.connection_->database, statement, values);
    if (!rows && rows.error().store) store_.spoilt_ = *rows.error().store;
    return rows;
}

Result<void, StoreError> SqliteStore::Tables::mark() {
    if (const auto begun = store_.begin(); !begun) return begun;
    auto& connection = *store_.connection_;
    if (std::exchange(store_.has_savepoint_, false)) {
        const Run released(connection.release);
        if (released.error()) return Err{*(store_.spoilt_ = released.error())};
    }
    const Run marked(connection.mark);
    if (marked.error()) return Err{*(store_.spoilt_ = marked.error())};
    store_.has_savepoint_ = true;
    return {};
}

Result<void, StoreError> SqliteStore::Tables::undo() {
    if (const auto error = store_.trouble()) return Err{*error};
    if (!store_.has_savepoint_) return {};
    const Run undone(store_.connection_->undo);
    if (undone.error()) return Err{*(store_.spoilt_ = undone.error())};
    return {};
}

void SqliteStore::Tables::drop() { store_.rollback(); }

}  // namespace oncewire::store
