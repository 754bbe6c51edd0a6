#include "server/store/sqlite/foreign.hpp"

#include <cstddef>
#include <utility>

namespace oncewire::store::sqlite {
namespace {

/// So many statements of an application are kept prepared; more than that it makes from pieces of text.
constexpr std::size_t prepared_max = 256;

}  // namespace

Result<std::vector<SqlRow>, SqlError> ForeignStatements::run(Database& database,
                                                             std::string_view sql,
                                                             const std::vector<SqlValue>& values) {
    auto known = prepared_.find(sql);
    if (known == prepared_.end()) {
        auto made = database.prepare_foreign(sql, false);
        if (!made) return Err{std::move(made.error())};
        if (prepared_.size() >= prepared_max) prepared_.clear();
        known = prepared_.emplace(sql, std::move(*made)).first;
    }
    std::vector<SqlRow> rows;
    Run run(known->second, values);
    for (; run.has_row(); run.step()) rows.push_back(run.row());
    if (auto error = run.sql_error()) return Err{std::move(*error)};
    return rows;
}

}  // namespace oncewire::store::sqlite
