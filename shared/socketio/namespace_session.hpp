#pragma once

#include <cstdint>

#include "shared/socketio/packet.hpp"

namespace oncewire::socketio {

/// Where one namespace of one connection stands, either role.
enum class NamespaceState : std::uint8_t {
    absent,      ///< never joined, refused, or left
    connecting,  ///< server: CONNECT seen, application not yet asked or answered; client: CONNECT sent
    connected,
    dismissed,  ///< server: we sent DISCONNECT; what the peer sent before it saw that is still to come
};
inline constexpr int namespace_state_count = 4;

/// What a packet means in a given state.
enum class NamespaceEffect : std::uint8_t {
    connect_requested,  ///< server: ask the application
    connected,          ///< client: the server agreed
    refused,            ///< client: CONNECT_ERROR
    event,
    ack,
    left,  ///< DISCONNECT
    hold,  ///< client: events before CONNECT's answer wait for it (recovery sends them first)
    ignore,
    violation,  ///< close the whole connection
};

/// [SIO5 Connection to a namespace] The transition table of the server: CONNECT twice, anything
/// before CONNECT is answered, and anything after the peer's own DISCONNECT are violations. After ours
/// (dismissed) everything but a new CONNECT is ignored; Node closes the connection for such a crossing.
NamespaceEffect server_effect(NamespaceState state, PacketType type);
/// The client's: what comes for a namespace we just left (absent) is ignored, because it may have
/// crossed our DISCONNECT on the wire; a second answer to one CONNECT is a violation. Knows no
/// dismissed: treated like absent.
NamespaceEffect client_effect(NamespaceState state, PacketType type);

}  // namespace oncewire::socketio
