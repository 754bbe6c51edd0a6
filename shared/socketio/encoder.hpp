#pragma once

#include <string_view>
#include <vector>

#include "shared/socketio/packet.hpp"

namespace oncewire::socketio {

/// [SIO5 Packet encoding] The Engine.IO frames for a packet: its text (with the leading '4' of an
/// Engine.IO message), then one binary frame per attachment. `packet` must be valid: our own side made
/// it. An event or ack with attachments is written as its binary form. The frames belong together: no
/// other message of the connection may come between them.
std::vector<Frame> encode(const Packet& packet);

/// The text frame of an event without attachments or ack, and one extra trailing argument, straight
/// from slices: `42["event",…args,"extra"]`. `data` is the text of a non-empty array without
/// surrounding space; `extra` is JSON text or empty. The hot path of fan-out: one allocation.
Frame encode_event(std::string_view nsp, std::string_view data, std::string_view extra);

}  // namespace oncewire::socketio
