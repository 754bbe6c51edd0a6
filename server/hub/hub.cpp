#include "server/hub/hub.hpp"

#include "server/hub/parts.hpp"

namespace oncewire::hub {

Hub::Hub(Options options)
    : parts_(std::make_unique<Parts>(std::move(options))),
      sockets_(*parts_),
      broadcasts_(*parts_) {}
Hub::~Hub() = default;
Hub::Hub(Hub&&) noexcept = default;
Hub& Hub::operator=(Hub&&) noexcept = default;

void Hub::wake_at(Instant when) { parts_->wake_at(when); }
void Hub::end_task(std::uint64_t id, bool is_done) { parts_->end_task(id, is_done); }
void Hub::send(ConnectionId id, FrameView message) { parts_->send(id, message); }
SecretPool& Hub::secrets() { return parts_->secrets(); }
ConnectionId Hub::handle_accept(Request request, Instant now) {
    return parts_->handle_accept(std::move(request), now);
}
void Hub::handle_frame(ConnectionId id, FrameView frame, Instant now) {
    parts_->handle_frame(id, frame, now);
}
void Hub::handle_written(ConnectionId id, Instant now) { parts_->handle_written(id, now); }
void Hub::handle_transport_closed(ConnectionId id, engineio::CloseReason reason, Instant now) {
    parts_->handle_transport_closed(id, reason, now);
}
bool Hub::handle_probe_opened(ConnectionId id, Instant now) {
    return parts_->handle_probe_opened(id, now);
}
void Hub::handle_probe_frame(ConnectionId id, FrameView frame, Instant now) {
    parts_->handle_probe_frame(id, frame, now);
}
void Hub::handle_probe_closed(ConnectionId id, Instant now) {
    parts_->handle_probe_closed(id, now);
}
void Hub::handle_mail(mail::FromSequencer mail, Instant now) {
    parts_->handle_mail(std::move(mail), now);
}
void Hub::handle_core_mail(mail::CoreMail mail, Instant now) {
    parts_->handle_core_mail(std::move(mail), now);
}
void Hub::handle_timeout(Instant now) { parts_->handle_timeout(now); }
std::optional<Instant> Hub::next_timeout() const { return parts_->next_timeout(); }
void Hub::shut_down(Instant now) { parts_->shut_down(now); }
std::optional<HubOutput> Hub::poll_output() { return parts_->poll_output(); }
std::optional<std::uint16_t> Hub::owner_of(std::string_view sid) { return Parts::owner_of(sid); }
std::string_view Hub::engine_sid_of(ConnectionId id) const { return parts_->engine_sid_of(id); }
std::optional<ConnectionId> Hub::find_by_sid(std::string_view sid) const {
    return parts_->find_by_sid(sid);
}
engineio::SessionState Hub::state_of(ConnectionId id) const { return parts_->state_of(id); }
std::uint64_t Hub::queued_bytes(ConnectionId id) const { return parts_->queued_bytes(id); }
std::vector<RoomReader> Hub::readers_of(std::string_view room, delivery::Offset offset) const {
    return parts_->readers_of(room, offset);
}
const HubCounts& Hub::counts() const { return parts_->counts(); }

}  // namespace oncewire::hub
