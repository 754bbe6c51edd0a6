#include "server/store/overlay/once.hpp"

#include <utility>

namespace oncewire::store {

Result<std::vector<OnceRow>, StoreError> OnceOverlay::find(std::string_view id,
                                                           std::string_view scope,
                                                           std::string_view body) {
    Wanted wanted;
    wanted.once.push_back({std::string(id), std::string(scope), std::string(body)});
    auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    std::vector<OnceRow> rows = std::move(facts->once.front());
    const auto fresh = batch_.once.find(id);
    if (fresh == batch_.once.end()) return rows;
    const auto has = [&](auto member, std::string_view value) {
        for (const OnceRow& row : rows) {
            if (row.*member == value) return true;
        }
        return false;
    };
    for (const OnceRow& row : fresh->second) {
        const bool decides = rows.empty() || (row.scope == scope && !has(&OnceRow::scope, scope)) ||
                             (row.body == body && !has(&OnceRow::body, body));
        if (decides) rows.push_back(row);
    }
    return rows;
}

void OnceOverlay::put(std::string_view id, OnceRow row) {
    put_.emplace_back(id);
    batch_.once[put_.back()].push_back(std::move(row));
}

void OnceOverlay::undo() {
    for (; !put_.empty(); put_.pop_back()) {
        const auto rows = batch_.once.find(put_.back());
        rows->second.pop_back();
        if (rows->second.empty()) batch_.once.erase(rows);
    }
}

}  // namespace oncewire::store
