#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace oncewire {

/// A string with a meaning. Three different random strings of the wire look alike; as three types
/// they cannot be swapped.
template <class Tag>
struct Id {
    std::string text;

    Id() = default;
    explicit Id(std::string value) : text(std::move(value)) {}
    bool empty() const { return text.empty(); }
    bool operator==(const Id&) const = default;
    bool operator<(const Id& other) const { return text < other.text; }
};

/// Engine.IO session id: the credential of a connection. Secret, never shown to the application.
using EngineSid = Id<struct EngineSidTag>;
/// Socket.IO socket id: public, names one namespace session.
using SocketSid = Id<struct SocketSidTag>;
/// Socket.IO private session id: secret, locates a session for recovery; never authenticates it.
using PrivateSid = Id<struct PrivateSidTag>;
/// A sender's dedupe identity, 32 hex digits (128 bit) made by the client. Others may see it.
using ProducerId = Id<struct ProducerIdTag>;
/// Proves that a ProducerId is ours, 32 hex digits (128 bit). Nobody else ever sees it.
using ProducerSecret = Id<struct ProducerSecretTag>;

}  // namespace oncewire
