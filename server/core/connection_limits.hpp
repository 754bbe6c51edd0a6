#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/net/seat.hpp"

namespace oncewire::core {

/// How many connections and polling sessions there may be, over all cores: in all, and of one address.
///
/// Addresses are those of TCP. What a header claims (X-Forwarded-For) is never looked at, because
/// whoever is to be limited could write it. A proxy in front therefore is one address: raise the limit,
/// or put it on this machine, since loopback addresses are counted in all only.
class ConnectionLimits {
  public:
    struct Options {
        /// 100,000: at some 4 KiB each, what a small machine can hold. Usually the descriptors end before.
        std::uint32_t in_all = 100'000;
        /// 1,024: a large office behind one address, and one person's attack is stopped.
        std::uint32_t of_one_address = 1'024;
    };

    explicit ConnectionLimits(Options options) : options_(options) {}
    ConnectionLimits(const ConnectionLimits&) = delete;
    ConnectionLimits& operator=(const ConnectionLimits&) = delete;

    /// A place; none: there is none left. Outlived by this. Any thread, also for letting go of it.
    std::optional<net::Seat> take(const std::string& address);

  private:
    bool count(const std::string& address);
    void give_back(const std::string& address);

    const Options options_;
    std::mutex mutex_;
    std::uint32_t taken_ = 0;
    std::unordered_map<std::string, std::uint32_t> taken_by_;
};

}  // namespace oncewire::core
