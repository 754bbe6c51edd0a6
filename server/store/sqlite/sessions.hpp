#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/batch.hpp"
#include "server/store/sqlite/database.hpp"

namespace oncewire::store::sqlite {

/// What recovery keeps, in the tables of one open database. `committed` is the head that everybody may see.
class SessionTables {
  public:
    Result<void, Failure> prepare(Database& database);

    Result<std::optional<SessionRow>, StoreError> find(std::string_view pid) const;
    std::optional<StoreError> change(std::string_view pid, const SessionChange& change) const;
    Result<std::vector<std::string>, StoreError> pids_in(
        const std::vector<std::string>& rooms) const;
    std::optional<StoreError> restart(UnixMillis now, Millis slack) const;
    std::optional<StoreError> drop_unseen_since(UnixMillis before) const;
    std::optional<StoreError> drop_all() const;

    std::optional<StoreError> record(const RecordedEvent& event) const;
    Result<std::vector<RecordedEvent>, StoreError> read(const std::vector<std::string>& rooms,
                                                        delivery::Offset after,
                                                        delivery::Offset committed,
                                                        std::uint32_t entries_max,
                                                        std::uint64_t bytes_max) const;
    std::optional<StoreError> prune(const RecordLimits& limits) const;
    Result<Pruned, StoreError> pruned() const;

  private:
    std::optional<StoreError> put(const SessionRow& row) const;
    std::optional<StoreError> join(std::string_view pid, const Membership& room) const;
    std::optional<StoreError> leave(std::string_view pid, std::string_view room) const;
    std::optional<StoreError> drop(std::string_view pid) const;
    Result<std::vector<delivery::Offset>, StoreError> offsets_for(
        const std::vector<std::string>& rooms, delivery::Offset after, delivery::Offset committed,
        std::uint32_t entries_max) const;

    Statement find_, rooms_of_, put_, join_, leave_, drop_, drop_rooms_, pids_in_;
    Statement restart_sessions_, restart_recorded_, restart_pruned_, drop_unseen_,
        drop_unseen_rooms_, drop_all_, drop_all_rooms_;
    Statement record_, record_for_, offsets_for_, event_at_;
    Statement total_, oldest_, forget_, forget_for_, put_pruned_, pruned_;
};

}  // namespace oncewire::store::sqlite
