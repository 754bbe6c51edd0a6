#include "server/hub/broadcast_calls.hpp"

#include "server/hub/parts.hpp"

namespace oncewire::hub {

void BroadcastCalls::broadcast(mail::Broadcast command) { parts_->broadcast(std::move(command)); }
void BroadcastCalls::broadcast_local(const mail::Broadcast& command) {
    parts_->broadcast_local(command);
}
void BroadcastCalls::join_rooms(mail::JoinRooms command) { parts_->join_rooms(std::move(command)); }
void BroadcastCalls::leave_rooms(mail::LeaveRooms command) {
    parts_->leave_rooms(std::move(command));
}
void BroadcastCalls::disconnect_sockets(mail::DisconnectSockets command) {
    parts_->disconnect_sockets(std::move(command));
}
void BroadcastCalls::server_side_emit(std::string_view nsp, std::string_view data) {
    parts_->server_side_emit(nsp, data);
}
std::uint64_t BroadcastCalls::ask_cores(mail::CoreQuestion question) {
    return parts_->ask_cores(std::move(question));
}
void BroadcastCalls::answer(const mail::CoreQuestion& question, std::string_view data,
                            const std::vector<std::string>& attachments, bool is_last) {
    parts_->answer(question, data, attachments, is_last);
}
void BroadcastCalls::watch_broadcasts(bool on) { parts_->watch_broadcasts(on); }
std::uint16_t BroadcastCalls::core() const { return parts_->core(); }
std::uint16_t BroadcastCalls::core_count() const { return parts_->core_count(); }
socketio::AckId BroadcastCalls::emit_with_ack(const std::vector<SocketId>& to, std::string_view nsp,
                                              std::string_view data,
                                              const std::vector<std::string>& attachments,
                                              std::optional<Millis> timeout) {
    return parts_->emit_with_ack(to, nsp, data, attachments, timeout);
}
void BroadcastCalls::add_to_family(std::string_view family, std::string_view nsp) {
    parts_->add_to_family(family, nsp);
}
void BroadcastCalls::remove_from_family(std::string_view family, std::string_view nsp) {
    parts_->remove_from_family(family, nsp);
}
std::vector<SocketId> BroadcastCalls::sockets(const mail::Target& target) const {
    return parts_->sockets(target);
}

}  // namespace oncewire::hub
