#pragma once

#include <cstdint>

#include "shared/socketio/packet.hpp"

namespace oncewire::socketio {

/// Where one namespace of one connection stands, either role.
enum class NamespaceState : std::uint8_t {
    absent,      ///< never joined, refused, or left
    connecting,  ///< server: CONNECT seen, application not yet asked or answered; client: CONNECT sent
    connected,
};

/// What a packet means in a given state.
enum class NamespaceEffect : std::uint8_t {
    connect_requested,  ///< server: ask the application
    connected,          ///< client: the server agreed
    refused,            ///< client: CONNECT_ERROR
    event,
    ack,
    left,               ///< DISCONNECT
    hold,               ///< client: events before CONNECT's answer wait for it (recovery sends them first)
    ignore,
    violation,          ///< close the whole connection
};

/// [SIO5 Connection to a namespace] The transition table of the server: CONNECT twice, anything
/// before CONNECT, and anything after DISCONNECT are violations.
NamespaceEffect server_effect(NamespaceState state, PacketType type);
/// The client's: an event or ack for a namespace we just left is ignored, because it may have crossed
/// our DISCONNECT on the wire.
NamespaceEffect client_effect(NamespaceState state, PacketType type);

}  // namespace oncewire::socketio
