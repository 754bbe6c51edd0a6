#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/time.hpp"
#include "shared/delivery/position.hpp"
#include "shared/delivery/producer.hpp"

namespace oncewire::store {

/// One stored event. Its place never changes once committed; its data may be replaced (Tx::rewrite).
struct LogEntry {
    delivery::Offset offset = 0;  ///< place in the whole log, in commit order, no holes
    std::string room;             ///< who may read it: log_room(namespace, room)
    std::uint64_t room_seq = 0;  ///< place in its room: 1, 2, 3 … contiguous, so holes are visible
    std::string data;            ///< JSON array text: ["event", …args], without the position
    UnixMillis stored_at;        ///< for showing, and for retention by age
    /// Offset of the entry before it in its room; 0: there is none, or it is not kept any more. Not
    /// stored with it, but found when it is appended or read.
    delivery::Offset before = 0;
    bool operator==(const LogEntry&) const = default;
};

/// Rooms of different namespaces are different rooms, so the log names them "namespace,room" (a
/// namespace cannot contain a comma).
inline std::string log_room(std::string_view nsp, std::string_view room) {
    std::string name(nsp);
    name += ',';
    name += room;
    return name;
}

/// Whether clients can read `data` as an event of the log: ["event", …args] as JSON text whose name is
/// neither one of Socket.IO's own nor one of ours. They would end the link over anything else, and over the
/// same again when they are back.
bool is_event(std::string_view data);

/// What stands in the place of an entry that is none; only versions before this one let such in.
inline constexpr std::string_view unreadable_event = R"(["unreadable"])";

}  // namespace oncewire::store
