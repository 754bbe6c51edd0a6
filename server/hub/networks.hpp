#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "shared/base/time.hpp"

namespace oncewire::hub {

/// What connections from one network share: how much may wait for them, and how often they join namespaces.
class Networks {
  public:
    /// Of this core; see hub::Options.
    struct Limits {
        bool are_shared = true;  ///< false: a connection's own bounds are all
        std::uint16_t cores = 1;
        std::uint64_t owed_bytes = 0;
        std::uint64_t collected_bytes = 0;
    };
    struct Network {
        std::uint32_t connections = 0;
        std::uint64_t owed_bytes = 0;
        std::uint64_t collected_bytes = 0;
        Instant connects_paid_until;
    };
    /// What of it is one connection's.
    struct Share {
        Network* network = nullptr;  ///< while the connection lasts
        /// What was made for this peer alone, and has not been taken: at most so much.
        std::uint64_t owed_bytes = 0;
        /// Of a packet whose attachments have not all come, as far as it is counted.
        std::uint64_t collected_bytes = 0;
        Instant connects_paid_until;  ///< each CONNECT takes a while, and some go on credit
    };

    explicit Networks(Limits limits) : limits_(limits) {}

    void enter(Share& share, const std::string& network);
    void leave(Share& share, Instant now);
    /// From now on it is owed so much.
    void owe(Share& share, std::uint64_t bytes);
    /// From now on so much of a packet has come. False: that is more than its network may.
    bool collect(Share& share, std::uint64_t bytes);
    bool owes_too_much(const Share& share) const;
    /// One more CONNECT. False: too many, wait.
    bool pay_for_connect(Share& share, Instant now);

  private:
    Limits limits_;
    std::unordered_map<std::string, Network> networks_;  // addresses stay; order never shows
    std::size_t connections_ = 0;
};

}  // namespace oncewire::hub
