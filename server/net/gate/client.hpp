#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/net/gate/address.hpp"

/// Who sent a request, as far as that can be believed. No I/O.
namespace oncewire::net {

/// Of one request: what TCP says, or, behind a proxy that is trusted, what the proxy says.
struct Client {
    std::string address = {};              ///< as IpAddress::text() writes it
    std::optional<bool> secure = {};       ///< it speaks TLS; none: nobody said who is believed
    std::optional<std::string> host = {};  ///< it asked for; none: as Host says
    std::string prefix = {};  ///< it sees the server below this path, "/chat"; often empty
    bool by_proxy = false;    ///< on a connection of a trusted proxy, which many clients share
    /// Polling sessions that began on the connection by which this came, and live. Null: not counted.
    std::shared_ptr<std::uint32_t> sessions = {};
};

/// `peer`: the other end of the connection. Headers count only if `trusted` has it.
///
/// X-Forwarded-For is read from the right: each trusted proxy's word names the one before it, and the
/// first that is not trusted is the client; what stands left of it anybody may have written. Without
/// X-Forwarded-For its successor is read, Forwarded [RFC7239]. X-Forwarded-Proto, -Host and -Prefix
/// count by their last values. A trusted proxy must set or remove every one of these that its clients
/// could send.
Client client_of(std::string_view peer,
                 const std::vector<std::pair<std::string, std::string>>& headers,
                 const std::vector<IpBlock>& trusted);

/// Whether this may be a prefix: "/chat", "/apps/chat"; not "/" or "chat", nothing that an address would
/// escape.
bool is_prefix(std::string_view path);
/// `target` without `prefix` in front; unchanged if it is not there. "/chat" alone stays as it is.
std::string_view without_prefix(std::string_view target, std::string_view prefix);

}  // namespace oncewire::net
