#include "server/store/overlay/log.hpp"

#include <algorithm>

namespace oncewire::store {

Result<delivery::Offset, StoreError> LogOverlay::append(std::string room, std::string data,
                                                        UnixMillis stored_at) {
    const auto found = find_room(room);
    if (!found) return Err{found.error()};
    NamedRoom& named = **found;
    touched_.emplace_back(&named, named.second);
    if (!std::exchange(named.second.changed, true)) changed_.push_back(&named);
    RoomHead& head = named.second.head;
    const delivery::Offset offset = ++batch_.to;
    batch_.entries.push_back({offset, std::move(room), ++head.last_seq, std::move(data), stored_at,
                              std::exchange(head.newest, offset)});
    return offset;
}

delivery::Offset LogOverlay::record(RecordedEvent event) {
    event.offset = ++batch_.to;
    batch_.recorded.push_back(std::move(event));
    return batch_.to;
}

Result<std::optional<LogEntry>, StoreError> LogOverlay::find(std::string_view room,
                                                             delivery::Offset offset) {
    std::optional<LogEntry> found;
    if (const LogEntry* entry = find_new(offset)) {
        if (entry->room == room) found = *entry;
    } else if (offset <= batch_.from.offset) {
        Wanted wanted;
        wanted.entries.push_back({std::string(room), offset});
        auto facts = store_.fetch(wanted);
        if (!facts) return Err{facts.error()};
        found = std::move(facts->entries.front());
    }
    const std::string* data = found ? rewritten_data(offset) : nullptr;
    if (data) found->data = *data;
    return found;
}

Result<bool, StoreError> LogOverlay::rewrite(std::string_view room, delivery::Offset offset,
                                             std::string data) {
    const auto found = find(room, offset);
    if (!found) return Err{found.error()};
    if (*found) batch_.rewritten.push_back({offset, std::move(data)});
    return found->has_value();
}

void LogOverlay::mark() {
    marked_entries_ = batch_.entries.size();
    marked_rewritten_ = batch_.rewritten.size();
    marked_to_ = batch_.to;
    touched_.clear();
}

/// Rooms go back newest change first.
void LogOverlay::undo() {
    batch_.entries.resize(marked_entries_);
    batch_.rewritten.resize(marked_rewritten_);
    batch_.to = marked_to_;
    for (; !touched_.empty(); touched_.pop_back()) {
        auto& [room, before] = touched_.back();
        if (room->second.changed && !before.changed) std::erase(changed_, room);
        room->second = before;
    }
}

/// An entry that is rewritten before it was ever stored is stored as it is by now.
void LogOverlay::finish() {
    for (NamedRoom* room : changed_) batch_.rooms.emplace(room->first, room->second.head);
    std::erase_if(batch_.rewritten, [this](Rewrite& rewrite) {
        LogEntry* entry = find_new(rewrite.offset);
        if (entry) entry->data = std::move(rewrite.data);
        return entry != nullptr;
    });
}

void LogOverlay::end(bool committed) {
    for (NamedRoom* room : changed_) room->second.changed = false;
    changed_.clear();
    touched_.clear();
    if (!committed || rooms_.size() > rooms_max) rooms_.clear();
}

Result<LogOverlay::NamedRoom*, StoreError> LogOverlay::find_room(const std::string& name) {
    const auto known = rooms_.find(name);
    if (known != rooms_.end()) return &*known;
    Wanted wanted;
    wanted.rooms.push_back(name);
    const auto facts = store_.fetch(wanted);
    if (!facts) return Err{facts.error()};
    return &*rooms_.emplace(name, Room{facts->rooms.front(), false}).first;
}

/// Offsets of recorded events are no places in the log.
const LogEntry* LogOverlay::find_new(delivery::Offset offset) const {
    const auto& entries = batch_.entries;
    const auto found = std::lower_bound(
        entries.begin(), entries.end(), offset,
        [](const LogEntry& one, delivery::Offset wanted) { return one.offset < wanted; });
    return found != entries.end() && found->offset == offset ? &*found : nullptr;
}

const std::string* LogOverlay::rewritten_data(delivery::Offset offset) const {
    const auto& rewritten = batch_.rewritten;
    const auto newest = std::find_if(rewritten.rbegin(), rewritten.rend(),
                                     [&](const Rewrite& one) { return one.offset == offset; });
    return newest == rewritten.rend() ? nullptr : &newest->data;
}

}  // namespace oncewire::store
