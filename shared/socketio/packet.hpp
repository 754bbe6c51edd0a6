#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/frame.hpp"

/// Socket.IO v5: namespaces, events and acknowledgements.
/// Spec tags: [SIO5 <section title>] is docs/socket.io-protocol/v5-current.md of socketio/socket.io.
namespace oncewire::socketio {

/// [SIO5 Packet types] The digits of the wire, '0' to '6'.
enum class PacketType : std::uint8_t {
    connect,
    disconnect,
    event,
    ack,
    connect_error,
    binary_event,
    binary_ack,
};

/// Names an acknowledgement within one namespace and direction, 0 to 2^53-1.
using AckId = std::uint64_t;

/// One whole packet. `data` stays the JSON text it came as, without surrounding space: an object for
/// connect and connect_error, an array for events and acks, empty where there is none. If there are
/// attachments, an object in `data` whose `_placeholder` is true stands for the one its `num` names;
/// if there are none, such objects are ordinary data.
/// Decoded packets are never binary_event or binary_ack: those become event and ack with attachments.
/// Only events and acks have an ack id, and an ack always has one.
struct Packet {
    PacketType type = PacketType::event;
    std::string nsp = "/";
    std::optional<AckId> ack_id;
    std::string data;
    std::vector<std::string> attachments;
    bool operator==(const Packet&) const = default;
};

/// True for the names applications may not emit: connect, connect_error, disconnect, disconnecting,
/// newListener, removeListener.
bool is_reserved_event(std::string_view name);

}  // namespace oncewire::socketio
