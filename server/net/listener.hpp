#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/net/loop.hpp"
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
std::optional<std::string> why_taken(const Address& address);

/// Accepts connections of one core.
///
/// When the process is out of descriptors a plain accept loop spins, because the connection stays in
/// the queue and the listener stays readable. This one gives up a descriptor it held in reserve to
/// accept and close one peer, so that it learns at once, and then leaves the others waiting for
/// `pause`.
class Listener final : private Watcher {
  public:
    /// Whose the socket is then. It does not block.
    using OnConnection = std::function<void(int socket, std::string address)>;

    /// `loop` outlives this.
    Listener(Loop& loop, OnConnection on_connection);
    ~Listener() override;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Binds and listens; accepting begins when the loop turns. `shared`: several listeners use this
    /// address and the kernel spreads connections over them; see why_taken(). The error is a sentence.
    /// Returns the port.
    Result<std::uint16_t, std::string> listen(const Address& address, bool shared);
    void stop();

    /// 100 ms: a peer waits that much longer, and ten failing calls a second cost nothing.
    static constexpr Millis pause{100};

  private:
    /// 64: peers let in by one event.
    static constexpr int batch = 64;

    void handle_ready(int descriptor, std::uint32_t events) override;
    bool accept_one();
    void take(int socket, const std::string& address);
    void wait_for_descriptors();
    void turn_one_away();
    void go_on();

    OnConnection on_connection_;
    Loop& loop_;
    Loop::Timer pause_;
    int socket_ = -1;
    int spare_ = -1;
};

}  // namespace oncewire::net
