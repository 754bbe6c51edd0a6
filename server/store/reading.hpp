#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/store.hpp"

namespace oncewire::store {

/// What is committed, for whoever only reads. One thread, which need not be the store's.
///
/// look() comes first; from then on all calls show the database as it was at that moment, until let_go(). As
/// long as something is looked at the store's file may grow, so let go soon. After an error let go, and look
/// again later. Errors, and what a call returns, are those of Store's function of the same name.
class Reading {
  public:
    virtual ~Reading() = default;

    /// The committed head, and the moment that is shown.
    virtual Result<LogHead, StoreError> look() = 0;
    virtual void let_go() = 0;

    virtual Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                           delivery::Offset after,
                                                           std::uint32_t entries_max,
                                                           std::uint64_t bytes_max) = 0;
    virtual Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                                  delivery::Offset before,
                                                                  std::uint32_t entries_max,
                                                                  std::uint64_t bytes_max) = 0;
    virtual Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                                   delivery::Offset offset) = 0;
    virtual Result<delivery::Offset, StoreError> trimmed_to(
        const std::vector<std::string>& rooms) = 0;
    virtual Result<std::optional<SessionRow>, StoreError> find_session(std::string_view pid) = 0;
    virtual Result<std::vector<RecordedEvent>, StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) = 0;
    virtual Result<Pruned, StoreError> pruned() = 0;
    /// A statement that changes something fails, or has no effect.
    virtual Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                          const std::vector<SqlValue>& values) = 0;
};

/// The store's own eyes: for its thread, between two transactions.
class OwnReading : public Reading {
  public:
    /// `store` outlives this.
    explicit OwnReading(Store& store) : store_(store) {}

    /// While it is closed look() fails: the store waits for reopen().
    void set_open(bool is_open) { is_open_ = is_open; }

    Result<LogHead, StoreError> look() override;
    void let_go() override;

    Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                   delivery::Offset after,
                                                   std::uint32_t entries_max,
                                                   std::uint64_t bytes_max) override {
        return store_.read(rooms, after, entries_max, bytes_max);
    }
    Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          std::uint32_t entries_max,
                                                          std::uint64_t bytes_max) override {
        return store_.read_before(room, before, entries_max, bytes_max);
    }
    Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                           delivery::Offset offset) override {
        return store_.find_entry(room, offset);
    }
    Result<delivery::Offset, StoreError> trimmed_to(
        const std::vector<std::string>& rooms) override {
        return store_.trimmed_to(rooms);
    }
    Result<std::optional<SessionRow>, StoreError> find_session(std::string_view pid) override {
        return store_.find_session(pid);
    }
    Result<std::vector<RecordedEvent>, StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override {
        return store_.read_recorded(rooms, after, entries_max, bytes_max);
    }
    Result<Pruned, StoreError> pruned() override { return store_.pruned(); }
    /// In a transaction that let_go() rolls back.
    Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                  const std::vector<SqlValue>& values) override;

  private:
    Store& store_;
    bool is_open_ = true;
    bool is_in_transaction_ = false;
};

}  // namespace oncewire::store
