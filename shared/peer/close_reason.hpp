#pragma once

#include "shared/engineio/session.hpp"
#include "shared/socketio/disconnect_reason.hpp"

namespace oncewire::peer {

/// What the end of a transport is called one layer up.
socketio::DisconnectReason disconnect_reason(engineio::CloseReason reason);

}  // namespace oncewire::peer
