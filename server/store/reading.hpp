#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/error.hpp"
#include "server/store/log_entry.hpp"
#include "server/store/rows.hpp"
#include "server/store/sessions.hpp"
#include "server/store/sql.hpp"
#include "shared/base/result.hpp"

namespace oncewire::store {

/// What is committed, for whoever only reads. One thread, which need not be the store's.
///
/// look() comes first; from then on all calls show the database as it was at that moment, until let_go(). As
/// long as something is looked at the store's file may grow, so let go soon. After an error let go, and look
/// again later.
class Reading {
  public:
    virtual ~Reading() = default;

    /// The committed head, and the moment that is shown.
    virtual Result<LogHead, StoreError> look() = 0;
    virtual void let_go() = 0;

    /// Entries of these rooms with offset > `after`, in order, until `entries_max` entries or until the next would
    /// exceed `bytes_max` bytes of data (at least one entry if there is any). O(log n + answer) for each room.
    virtual Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                           delivery::Offset after,
                                                           std::uint32_t entries_max,
                                                           std::uint64_t bytes_max) = 0;
    /// The same of one room the other way: entries with offset < `before`, newest first.
    virtual Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                                  delivery::Offset before,
                                                                  std::uint32_t entries_max,
                                                                  std::uint64_t bytes_max) = 0;
    /// None: it is another room's, not there, or not kept any more.
    virtual Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                                   delivery::Offset offset) = 0;
    /// Whoever read these rooms up to an offset below this has missed entries that are gone; 0: nothing
    /// was removed.
    virtual Result<delivery::Offset, StoreError> trimmed_to(
        const std::vector<std::string>& rooms) = 0;
    virtual Result<std::optional<SessionRow>, StoreError> find_session(std::string_view pid) = 0;
    /// As read(), of recorded events: those for any of these rooms (whoever is left out), in order.
    virtual Result<std::vector<RecordedEvent>, StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) = 0;
    virtual Result<Pruned, StoreError> pruned() = 0;
    /// A statement that changes something fails, or has no effect.
    virtual Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                          const std::vector<SqlValue>& values) = 0;
};

}  // namespace oncewire::store
