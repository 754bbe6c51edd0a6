#include "server/hub/held_connects.hpp"

namespace oncewire::hub {

void HeldConnects::hold(SocketId socket, std::string answer) {
    held_.emplace(socket, Held{std::move(answer), false, {}, 0});
    new_.push_back(socket);
}

void HeldConnects::add(SocketId socket, SharedFrame frame) {
    Held& held = held_.at(socket);
    held.frame_bytes += frame->bytes.size();
    held.frames.push_back(std::move(frame));
}

void HeldConnects::note_room(SocketId socket) {
    const auto found = held_.find(socket);
    if (found != held_.end()) found->second.has_new_rooms = true;
}

const HeldConnects::Held* HeldConnects::find(SocketId socket) const {
    const auto found = held_.find(socket);
    return found == held_.end() ? nullptr : &found->second;
}

std::optional<HeldConnects::Held> HeldConnects::take(SocketId socket) {
    auto found = held_.extract(socket);
    return found ? std::optional(std::move(found.mapped())) : std::nullopt;
}

}  // namespace oncewire::hub
