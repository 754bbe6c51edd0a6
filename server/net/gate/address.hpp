#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Addresses of the Internet as peers and proxies write them, and what of them is counted. No I/O.
namespace oncewire::net {

/// One address. What IPv6 writes for an IPv4 address (::ffff:192.0.2.1) is that IPv4 address: a socket
/// that takes both says it in the one way, a proxy in the other. [RFC4291 2.5.5.2]
class IpAddress {
  public:
    /// "192.0.2.1", "2001:db8::1"; no port, no brackets. A zone ("fe80::1%eth0") says nothing outside of
    /// this machine and is dropped. None: it is no address.
    static std::optional<IpAddress> parse(std::string_view text);
    /// 4 or 16 bytes, as they stand in a packet. None: there are more or fewer.
    static std::optional<IpAddress> from_bytes(std::string_view bytes);

    bool is_ipv4() const;
    bool is_loopback() const;
    /// The one way to write it. [RFC5952]
    std::string text() const;

    /// The first address of its block of `bits` (of 128, or of 32 for IPv4).
    IpAddress first_of(unsigned bits) const;
    bool operator==(const IpAddress&) const = default;

  private:
    using Bytes = std::array<std::uint8_t, 16>;  // IPv4 as IPv6 writes it

    Bytes bytes_{};
};

/// "192.0.2.1", "10.0.0.0/8", "2001:db8::/32".
class IpBlock {
  public:
    /// None: it is no block. Bits behind the prefix do not matter.
    static std::optional<IpBlock> parse(std::string_view text);

    bool contains(const IpAddress& address) const;
    std::string text() const;

  private:
    IpBlock(IpAddress first, unsigned bits) : first_(first), bits_(bits) {}

    IpAddress first_;
    unsigned bits_;
};

bool is_in(const std::vector<IpBlock>& blocks, const IpAddress& address);

/// What allowances and places are counted by, because whoever has it has all of it: an IPv4 address; of
/// IPv6 the /64 that every customer is given at least ("2001:db8:1:2::/64"). What is no address is
/// counted as it stands.
std::string network_of(std::string_view address);
/// A customer may be given as many /64 as fit in a /48 ("2001:db8:1::/48"), so that is counted, too, with
/// a larger limit. IPv4 as it is.
std::string site_of(std::string_view address);

}  // namespace oncewire::net
