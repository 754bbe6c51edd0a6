#include "server/hub/socket_calls.hpp"

#include "server/hub/parts.hpp"

namespace oncewire::hub {

void SocketCalls::accept(SocketId id, AcceptOptions options, Instant now) {
    parts_->accept(id, std::move(options), now);
}
void SocketCalls::reject(SocketId id, std::string_view error_json, Instant now) {
    parts_->reject(id, error_json, now);
}
void SocketCalls::join(SocketId id, std::string_view room) { parts_->join(id, room); }
void SocketCalls::leave(SocketId id, std::string_view room) { parts_->leave(id, room); }
void SocketCalls::introduce(SocketId id, std::string sender) {
    parts_->introduce(id, std::move(sender));
}
void SocketCalls::emit(SocketId id, std::string_view data,
                       const std::vector<std::string>& attachments) {
    parts_->emit(id, data, attachments);
}
void SocketCalls::acknowledge(SocketId id, socketio::AckId ack_id, std::string_view data,
                              const std::vector<std::string>& attachments) {
    parts_->acknowledge(id, ack_id, data, attachments);
}
std::uint64_t SocketCalls::submit(SocketId id, std::string_view data) {
    return parts_->submit(id, data);
}
void SocketCalls::disconnect(SocketId id, bool close_connection, Instant now) {
    parts_->disconnect(id, close_connection, now);
}
const Request* SocketCalls::request_of(SocketId id) const { return parts_->request_of(id); }
std::string_view SocketCalls::sid_of(SocketId id) const { return parts_->sid_of(id); }
ProducerId SocketCalls::producer_of(SocketId id) const { return parts_->producer_of(id); }
std::vector<std::string> SocketCalls::rooms_of(SocketId id) const { return parts_->rooms_of(id); }

}  // namespace oncewire::hub
