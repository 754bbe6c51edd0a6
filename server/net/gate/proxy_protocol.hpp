#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "server/net/gate/address.hpp"
#include "shared/base/result.hpp"

/// What a proxy that passes bytes on says first on a connection, so that the server knows for whom: the
/// PROXY protocol, versions 1 (a line) and 2 (binary), as HAProxy defines it. No I/O.
///
/// Read only from proxies that are trusted: whoever may say this may say to be anybody. From those it is
/// optional, because no request begins like it.
namespace oncewire::net {

struct ProxyHeader {
    std::size_t size = 0;  ///< bytes of it; 0: there is none
    /// The client; none: the proxy speaks for itself, to see whether we live, or does not know.
    std::optional<IpAddress> client = {};
    bool secure = false;  ///< the client speaks TLS with the proxy
};

/// 107 bytes with its line end: the longest line of version 1.
inline constexpr std::size_t proxy_line_bytes_max = 107;
/// 4,096 bytes: the longest body of version 2, addresses and what else is said; proxies send some 100.
inline constexpr std::size_t proxy_body_bytes_max = 4096;

/// What `received`, all that came so far, begins with. None: that cannot be said yet. Error: it is malformed, in
/// static words.
Result<std::optional<ProxyHeader>, std::string_view> read_proxy_header(std::string_view received);

}  // namespace oncewire::net
