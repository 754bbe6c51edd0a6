#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/store/store.hpp"

namespace oncewire::store {

/// The log as a batch leaves it.
class LogOverlay {
  public:
    LogOverlay(Store& store, Batch& batch) : store_(store), batch_(batch) {}

    /// What the next append() or record() gets.
    delivery::Offset next_offset() const { return batch_.to + 1; }
    /// Returns its offset.
    Result<delivery::Offset, StoreError> append(std::string room, std::string data,
                                                UnixMillis stored_at);
    /// Takes an offset as append() does, but no number in a room. Returns the offset.
    delivery::Offset record(RecordedEvent event);
    /// As Reading::find_entry().
    Result<std::optional<LogEntry>, StoreError> find(std::string_view room,
                                                     delivery::Offset offset);
    /// Gives an entry other data. False: find() finds none.
    Result<bool, StoreError> rewrite(std::string_view room, delivery::Offset offset,
                                     std::string data);

    void mark();
    void undo();
    /// The batch is to be written: fills in what is known at its end only.
    void finish();
    /// The batch has ended. `committed`: as it says.
    void end(bool committed);

  private:
    /// Remembered: some ten megabytes of rooms.
    static constexpr std::size_t rooms_max = 65'536;
    struct Room {
        RoomHead head;
        bool changed = false;  // by this batch
    };
    using NamedRoom = std::pair<const std::string, Room>;

    Result<NamedRoom*, StoreError> find_room(const std::string& name);
    const LogEntry* find_new(delivery::Offset offset) const;
    LogEntry* find_new(delivery::Offset offset) {
        return const_cast<LogEntry*>(std::as_const(*this).find_new(offset));
    }
    const std::string* rewritten_data(delivery::Offset offset) const;

    Store& store_;
    Batch& batch_;
    std::unordered_map<std::string, Room> rooms_;  // seen lately, as the batch leaves them
    std::vector<NamedRoom*> changed_;              // by the batch; point into rooms_

    // As it was at the mark.
    std::size_t marked_entries_ = 0;
    std::size_t marked_rewritten_ = 0;
    delivery::Offset marked_to_ = 0;
    std::vector<std::pair<NamedRoom*, Room>> touched_;  // since, and what they were before
};

}  // namespace oncewire::store
