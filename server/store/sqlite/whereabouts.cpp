// How a SqliteStore finds what became of a message.
#include <algorithm>
#include <utility>

#include "server/store/sqlite/connection.hpp"
#include "server/store/sqlite/store.hpp"

namespace oncewire::store {

using sqlite::Run;

Result<Whereabouts, StoreError> SqliteStore::find_message(const MessageKey& key) {
    using Outcome = Whereabouts::Outcome;
    Wanted wanted;
    wanted.producers.push_back(key.producer);
    wanted.verdicts.push_back({key.producer, key.sequence});
    auto facts = fetch(wanted);
    if (!facts) return Err{facts.error()};
    const auto& row = facts->producers.front();
    auto& stored = facts->verdicts.front();
    if (!row) return Whereabouts();
    Whereabouts found{Outcome::not_here, row->seen.last};
    if (key.sequence > found.last) return found;
    if (!stored && key.sequence > row->forgotten) return found;
    found.outcome = stored ? Outcome::settled : Outcome::forgotten;
    if (!stored) return found;
    found.verdict = std::move(stored->verdict);
    found.published = stored->published;
    const Publication published = found.published.value_or(Publication());
    const auto count = std::min(published.entries, Whereabouts::entries_max);
    Run run(connection_->entries_at, published.first, published.first + count);
    for (; run.has_row(); run.step()) {
        found.entries.push_back(
            {run.number(0), run.text(1), run.number(2), run.text(3), UnixMillis{run.integer(4)}});
    }
    if (run.error()) return Err{*run.error()};
    return found;
}

}  // namespace oncewire::store
