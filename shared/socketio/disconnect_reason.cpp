#include "shared/socketio/disconnect_reason.hpp"

#include "shared/base/verify.hpp"

namespace oncewire::socketio {

const char* reason_text(DisconnectReason reason) {
    switch (reason) {
        case DisconnectReason::transport_error:
            return "transport error";
        case DisconnectReason::transport_close:
            return "transport close";
        case DisconnectReason::forced_close:
            return "forced close";
        case DisconnectReason::ping_timeout:
            return "ping timeout";
        case DisconnectReason::parse_error:
            return "parse error";
        case DisconnectReason::server_shutting_down:
            return "server shutting down";
        case DisconnectReason::client_namespace_disconnect:
            return "client namespace disconnect";
        case DisconnectReason::server_namespace_disconnect:
            return "server namespace disconnect";
        case DisconnectReason::io_client_disconnect:
            return "io client disconnect";
        case DisconnectReason::io_server_disconnect:
            return "io server disconnect";
    }
    VERIFY(false);  // there is a case for each
}

bool may_reconnect(DisconnectReason reason) {
    switch (reason) {
        case DisconnectReason::transport_error:
        case DisconnectReason::transport_close:
        case DisconnectReason::forced_close:
        case DisconnectReason::ping_timeout:
        case DisconnectReason::parse_error:
        case DisconnectReason::server_shutting_down:
            return true;
        case DisconnectReason::client_namespace_disconnect:
        case DisconnectReason::server_namespace_disconnect:
        case DisconnectReason::io_client_disconnect:
        case DisconnectReason::io_server_disconnect:
            return false;
    }
    VERIFY(false);  // there is a case for each
}

}  // namespace oncewire::socketio
