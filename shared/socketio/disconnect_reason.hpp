#pragma once

#include <cstdint>

namespace oncewire::socketio {

/// Why a namespace session ended, in the reference's words, and whether a client comes back by itself.
enum class DisconnectReason : std::uint8_t {
    transport_error,
    transport_close,
    forced_close,
    ping_timeout,
    parse_error,
    server_shutting_down,
    client_namespace_disconnect,  ///< server's view of the client's disconnect()
    server_namespace_disconnect,  ///< server's view of its own disconnect()
    io_client_disconnect,         ///< client's view of its own disconnect()
    io_server_disconnect,         ///< client's view of the server's disconnect(): do not come back
};

const char* reason_text(DisconnectReason reason);
/// True if the client reconnects by itself after this: neither side meant to end it.
bool may_reconnect(DisconnectReason reason);

}  // namespace oncewire::socketio
