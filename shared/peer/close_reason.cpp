#include "shared/peer/close_reason.hpp"

#include "shared/base/verify.hpp"

namespace oncewire::peer {

using engineio::CloseReason;
using socketio::DisconnectReason;

DisconnectReason disconnect_reason(CloseReason reason) {
    switch (reason) {
        case CloseReason::transport_error:
            return DisconnectReason::transport_error;
        case CloseReason::transport_close:
            return DisconnectReason::transport_close;
        case CloseReason::forced_close:
            return DisconnectReason::forced_close;
        case CloseReason::ping_timeout:
            return DisconnectReason::ping_timeout;
        case CloseReason::parse_error:
            return DisconnectReason::parse_error;
    }
    VERIFY(false);  // there is a case for each
}

}  // namespace oncewire::peer
