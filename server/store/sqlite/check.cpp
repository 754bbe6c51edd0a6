#include "server/store/sqlite/check.hpp"

#include <utility>

#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/files.hpp"
#include "server/store/sqlite/migrations.hpp"
#include "server/store/sqlite/schema.hpp"

namespace oncewire::store {
namespace {

using sqlite::Database;
using sqlite::Failure;
using sqlite::Run;

/// Each row it finds is one thing that cannot be: `what`, then the row's text.
struct Invariant {
    const char* what;
    const char* sql;
};

constexpr Invariant invariants[] = {
    {"the log has no epoch: ",
     "SELECT 'meta has ' || count(*) || ' rows' FROM meta HAVING count(*) <> 1"},
    {"a room does not count its entries: ",
     "SELECT name || ' has ' || count(log.offset) || ' entries, the last is number ' ||"
     " ifnull(max(log.room_seq), 0) || ', and it says ' || last_seq || ', removed up to ' ||"
     " trimmed_seq FROM rooms LEFT JOIN log ON log.room = rooms.id GROUP BY rooms.id"
     " HAVING count(log.offset) <> last_seq - trimmed_seq"
     " OR ifnull(max(log.room_seq), 0) <> last_seq"
     " OR ifnull(min(log.room_seq), 1) <> trimmed_seq + 1"},
    {"what was removed from a room is there: ",
     "SELECT name || ', offset ' || offset FROM rooms JOIN log ON log.room = rooms.id"
     " WHERE offset <= trimmed"},
    {"a room does not count in the order of the log: ",
     "SELECT 'offset ' || offset FROM (SELECT offset, room_seq, lag(room_seq) OVER"
     " (PARTITION BY room ORDER BY offset) AS before FROM log) WHERE room_seq <= before"},
    {"an entry has no room: ",
     "SELECT 'offset ' || offset FROM log WHERE room NOT IN (SELECT id FROM rooms)"},
    {"the log has a hole: ",
     "SELECT 'it ends at ' || ends || ', its rooms count ' || published || ', and ' || recorded ||"
     " ' events were recorded' FROM (SELECT max(ifnull((SELECT max(offset) FROM log), 0),"
     " ifnull((SELECT max(offset) FROM recorded), 0)) AS ends,"
     " (SELECT ifnull(sum(last_seq), 0) FROM rooms) AS published,"
     " (SELECT entries + dropped FROM recording) AS recorded) WHERE ends <> published + recorded"},
    {"a producer's mark is not its newest verdict: ",
     "SELECT 'producer ' || producers.id || ' is at ' || last || ', its verdicts at ' ||"
     " ifnull(max(sequence), 0) || ', forgotten up to ' || forgotten FROM producers"
     " LEFT JOIN verdicts ON producer = producers.id GROUP BY producers.id"
     " HAVING last <> ifnull(max(sequence), forgotten) OR last < forgotten + count(sequence)"},
    {"a producer's mark has another digest than its newest verdict: ",
     "SELECT 'producer ' || producers.id FROM producers JOIN verdicts"
     " ON producer = producers.id AND sequence = last WHERE digest <> last_digest"},
    {"a digest is of no verdict: ",
     "SELECT 'producer ' || producer || ', number ' || sequence FROM verdict_digests AS known"
     " WHERE NOT EXISTS (SELECT 1 FROM verdicts WHERE verdicts.producer = known.producer"
     " AND verdicts.sequence = known.sequence AND verdicts.digest = known.digest)"},
    {"a verdict has no producer: ",
     "SELECT 'number ' || producer FROM verdicts WHERE producer NOT IN (SELECT id FROM producers)"},
    {"a verdict is neither yes nor no: ",
     "SELECT 'producer ' || producer || ', message ' || sequence FROM verdicts"
     " WHERE kind NOT IN (0, 1)"},
    {"an id stands for a message that is not there: ",
     "SELECT 'offset ' || offset FROM once WHERE offset > (SELECT ifnull(max(offset), 0) FROM "
     "log)"},
};

class Examination {
  public:
    explicit Examination(Database& database) : database_(database) {}

    /// The first ten say what is wrong; a broken page may make thousands.
    void look(const std::string& sql, const std::string& what) {
        const auto statement = database_.prepare((sql + " LIMIT 10").c_str());
        if (!statement) return report.problems.push_back(what + statement.error().reason);
        Run run(*statement);
        for (; run.has_row(); run.step()) report.problems.push_back(what + run.text(0));
        if (run.error()) report.problems.push_back(what + error_text(*run.error()));
    }

    std::uint64_t count(const char* table) {
        const auto counted =
            database_.integer(("SELECT count(*) FROM " + std::string(table)).c_str());
        return counted ? static_cast<std::uint64_t>(*counted) : 0;
    }

    CheckReport report;

  private:
    Database& database_;
};

/// SQLite's own check answers "ok" in one row, or what is wrong in several.
void look_at_pages(Examination& examination) {
    examination.look("SELECT * FROM pragma_integrity_check(10) WHERE integrity_check <> 'ok'",
                     "the file is damaged: ");
}

void look_at_end(Examination& examination, Database& database, const std::string& path) {
    LogHead& head = examination.report.head;
    if (const auto epoch = database.prepare("SELECT epoch FROM meta")) {
        const Run run(*epoch);
        if (run.has_row()) head.epoch.text = run.text(0);
    }
    const auto offset = database.integer(
        "SELECT max(ifnull((SELECT max(offset) FROM log), 0),"
        " ifnull((SELECT max(offset) FROM recorded), 0))");
    head.offset = offset ? static_cast<delivery::Offset>(*offset) : 0;
    const auto known = sqlite::HeadMark(path, sqlite::HeadMark::Use::inspect).read();
    if (!known || !(known->epoch == head.epoch) || known->offset <= head.offset) return;
    examination.report.problems.push_back("messages were lost: the log ends at " +
                                          std::to_string(head.offset) + ", and had got to " +
                                          std::to_string(known->offset));
}

Err<OpenError> cannot_look(const std::string& path, const Failure& failure) {
    return Err{
        OpenError{failure.error, "cannot check the database '" + path + "': " + failure.reason}};
}

}  // namespace

Result<CheckReport, OpenError> check_database(const std::string& path) {
    if (!sqlite::exists(path)) return cannot_look(path, {StoreError::io, "it does not exist"});
    auto database = Database::open(path, Database::Use::inspect);
    if (!database) return cannot_look(path, database.error());
    const auto version = sqlite::version_of(*database);
    if (!version) return cannot_look(path, version.error());
    if (*version == 0) return cannot_look(path, {StoreError::io, "it is empty"});

    Examination examination(*database);
    CheckReport& report = examination.report;
    report.schema = *version;
    look_at_pages(examination);
    if (*version < sqlite::newest_schema) return report;  // what else to ask depends on the version
    for (const auto& [what, sql] : invariants) examination.look(sql, what);
    look_at_end(examination, *database, path);
    report.entries = examination.count("log");
    report.rooms = examination.count("rooms");
    report.producers = examination.count("producers");
    return report;
}

}  // namespace oncewire::store
