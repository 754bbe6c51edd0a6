#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "server/store/reading.hpp"
#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/log_table.hpp"
#include "server/store/sqlite/sessions.hpp"

namespace oncewire::store {

/// A connection that only reads, beside the one of a SqliteStore, for another thread. It is opened when
/// something is looked at first, and closed while the store opens its own anew: what a failed commit left on
/// the disk is known only when nobody has the file open.
class SqliteReading final : public Reading {
  public:
    /// What it shares with the store.
    class Door {
      public:
        explicit Door(std::string path) : path_(std::move(path)) {}
        /// The store's thread: waits until nothing is looked at, and closes the connection.
        void close();
        /// The store's thread.
        void open();

      private:
        friend class SqliteReading;
        struct Connection;
        struct Close {
            void operator()(Connection* connection) const;
        };
        Result<void, StoreError> connect();

        const std::string path_;
        std::mutex mutex_;  // held while something is looked at
        bool is_open_ = true;
        std::unique_ptr<Connection, Close> connection_;
    };

    explicit SqliteReading(std::shared_ptr<Door> door) : door_(std::move(door)) {}
    ~SqliteReading() override;

    Result<LogHead, StoreError> look() override;
    void let_go() override;

    Result<std::vector<LogEntry>, StoreError> read(const std::vector<std::string>& rooms,
                                                   delivery::Offset after,
                                                   std::uint32_t entries_max,
                                                   std::uint64_t bytes_max) override;
    Result<std::vector<LogEntry>, StoreError> read_before(std::string_view room,
                                                          delivery::Offset before,
                                                          std::uint32_t entries_max,
                                                          std::uint64_t bytes_max) override;
    Result<std::optional<LogEntry>, StoreError> find_entry(std::string_view room,
                                                           delivery::Offset offset) override;
    Result<delivery::Offset, StoreError> trimmed_to(const std::vector<std::string>& rooms) override;
    Result<std::optional<SessionRow>, StoreError> find_session(std::string_view pid) override;
    Result<std::vector<RecordedEvent>, StoreError> read_recorded(
        const std::vector<std::string>& rooms, delivery::Offset after, std::uint32_t entries_max,
        std::uint64_t bytes_max) override;
    Result<Pruned, StoreError> pruned() override;
    Result<std::vector<SqlRow>, SqlError> run_sql(std::string_view statement,
                                                  const std::vector<SqlValue>& values) override;

  private:
    std::shared_ptr<Door> door_;
    std::unique_lock<std::mutex> looking_;  // of the door; nothing is looked at without it
    delivery::Offset head_ = 0;
};

}  // namespace oncewire::store
