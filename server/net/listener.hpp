#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

namespace oncewire::net {

/// Where to listen; `host` is a name or an address.
struct Address {
    std::string host;
    std::uint16_t port = 0;  ///< 0: the kernel chooses
};

/// The sentence why nobody can listen there; none if one can. Sharing an address hides that another
/// server has it already, so ask before.
std::optional<std::string> why_taken(boost::asio::io_context& context, const Address& address);

/// Accepts connections of one core.
///
/// When the process is out of descriptors a plain accept loop spins, because the connection stays in
/// the queue and the listener stays readable. This one gives up a descriptor it held in reserve to
/// accept and close one peer, so that it learns at once, and then leaves the others waiting for
/// `pause`.
class Listener {
  public:
    using OnConnection = std::function<void(boost::asio::ip::tcp::socket, std::string address)>;

    Listener(boost::asio::io_context& context, OnConnection on_connection);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Binds and listens; accepting begins when the context runs. `shared`: several listeners use this
    /// address and the kernel spreads connections over them; see why_taken(). The error is a sentence.
    /// Returns the port.
    Result<std::uint16_t, std::string> listen(const Address& address, bool shared);
    void stop();

    /// 100 ms: a peer waits that much longer, and ten failing calls a second cost nothing.
    static constexpr Millis pause{100};

  private:
    /// 64: peers let in by one event.
    static constexpr int batch = 64;

    void await_peers();
    void accept_peers();
    void take(int handle, const boost::asio::ip::tcp::endpoint& peer);
    void wait_for_descriptors();
    void turn_one_away();

    OnConnection on_connection_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer timer_;
    int spare_ = -1;
};

}  // namespace oncewire::net
