#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/net/gate/seat.hpp"

namespace oncewire::core {

/// 128: polling sessions that may begin on one connection, as long as they live. A browser has as many
/// as tabs; a proxy that is not trusted has many connections.
constexpr std::uint32_t sessions_of_one_connection = 128;

/// How many connections and sessions there may be, over all cores: in all, and of one address.
///
/// Addresses are counted as net::network_of() has them, loopback like others, and once more by /48. What
/// comes by a trusted proxy's connection is counted for the client that the proxy names. A polling session
/// takes a place beside its connections; a WebSocket is its connection. Some places are kept back from
/// sessions, so that a full house still serves its page and says that it lives.
class ConnectionLimits {
  public:
    struct Options {
        /// 100,000: at some 4 KiB each, what a small machine can hold. Usually the descriptors end before.
        std::uint32_t in_all = 0;
        /// 1,024: a large office behind one address, and one person's attack is stopped. None: any number.
        std::optional<std::uint32_t> of_one_address = {};
    };

    explicit ConnectionLimits(Options options) : options_(options) {}
    ConnectionLimits(const ConnectionLimits&) = delete;
    ConnectionLimits& operator=(const ConnectionLimits&) = delete;

    // Each has a place for as long as the Seat is held, which may be let go of on any thread; none: there
    // is none left. They are outlived by this. Any thread.

    /// For a connection, or a polling session, of this address.
    std::optional<net::Seat> take(const std::string& address);
    /// For the connection of a trusted proxy, which is nobody's.
    std::optional<net::Seat> take_for_proxy();
    /// For what this address does on such a connection.
    std::optional<net::Seat> take_by_proxy(const std::string& address);
    /// Whether one more session may begin, with a place of its own or on a connection that has one.
    bool has_room_for_session(bool takes_place);

    /// A sixteenth is kept back.
    static constexpr std::uint32_t kept_back = 16;
    /// A /48 may have four times what one address may: one customer, or a campus.
    static constexpr std::uint32_t addresses_of_one_site = 4;

  private:
    /// A network or a site, as long as somebody of it is there.
    struct Counted {
        std::uint32_t taken = 0;
        Counted* site = nullptr;
        const std::string* name = nullptr;
    };

    std::optional<Counted*> begin(bool takes_place, const std::string* address);
    void end(bool takes_place, Counted* counted);
    std::optional<Counted*> count(const std::string& address);
    Counted* add(const std::string& name, std::uint64_t most);
    void subtract(Counted* counted);

    const Options options_;
    std::mutex mutex_;
    std::uint32_t taken_ = 0;
    std::unordered_map<std::string, Counted> taken_by_;  // networks and sites; addresses stay
};

}  // namespace oncewire::core
