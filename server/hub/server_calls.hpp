#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/hub/hub_output.hpp"
#include "shared/base/time.hpp"

namespace oncewire::hub {

struct Parts;

/// What the application says that is not for one socket: to many, on all cores, to the applications of other
/// cores, and to the hub itself. Belongs to the Hub and lives as long; on its thread.
class ServerCalls {
  public:
    explicit ServerCalls(Parts& parts) : parts_(&parts) {}

    /// Ephemeral, to everybody in the target on every core; the same order for all of a namespace.
    /// Recorded where recovery is on, unless it is volatile.
    void broadcast(mail::Broadcast command);
    /// The same on this core alone (the `local` flag); never recorded.
    void broadcast_local(const mail::Broadcast& command);
    void join_rooms(mail::JoinRooms command);
    void leave_rooms(mail::LeaveRooms command);
    void disconnect_sockets(mail::DisconnectSockets command);
    /// To the applications of the other cores.
    void server_side_emit(std::string_view nsp, std::string_view data);
    /// Asks the applications of all cores, in the same order as broadcasts. `from` and `number` are
    /// filled in; the number is returned.
    std::uint64_t ask_cores(mail::CoreQuestion question);
    void answer(const mail::CoreQuestion& question, std::string_view data,
                const std::vector<std::string>& attachments, bool is_last);
    /// Whether each broadcast is reported when it is sent: BroadcastSent.
    void watch_broadcasts(bool on);
    std::uint16_t core() const;
    std::uint16_t core_count() const;
    /// An event that each of `to` (sockets of `nsp` on this core) answers: AckArrived for each, then
    /// AcksFinished, once. None to ask: AcksFinished follows at once.
    socketio::AckId emit_with_ack(const std::vector<SocketId>& to, std::string_view nsp,
                                  std::string_view data,
                                  const std::vector<std::string>& attachments,
                                  std::optional<Millis> timeout);
    /// A target whose namespace is `family` means all that were added to it: what is said to it is said
    /// to each, and not recorded for recovery. `family` ends with a comma.
    void add_to_family(std::string_view family, std::string_view nsp);
    void remove_from_family(std::string_view family, std::string_view nsp);
    /// Connected sockets of this core.
    std::vector<SocketId> sockets(const mail::Target& target) const;

    /// Woken follows then, unless an earlier moment was asked for since: one alarm, the earliest.
    void wake_at(Instant when);
    /// Not done: it is given out again after a while.
    void end_task(std::uint64_t id, bool is_done);

  private:
    Parts* parts_;
};

}  // namespace oncewire::hub
