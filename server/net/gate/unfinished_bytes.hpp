#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace oncewire::net {

/// How much memory what has begun and not ended may take on one core: bodies of requests, messages of
/// WebSockets; of one network, and in all. Otherwise whoever begins much and ends nothing holds one largest
/// message for each connection. One thread.
class UnfinishedBytes {
  public:
    struct Options {
        /// 256 MiB: what a small machine can spare.
        std::uint64_t in_all = 256u << 20;
        /// 32 MiB: 32 people of an office who send their largest at the same time.
        std::uint64_t of_one_network = 32u << 20;
        /// 16 KiB: of each that nobody counts, so that what people write gets in whatever somebody else is
        /// sending. Connections are counted anyway.
        std::uint64_t uncounted = 16u << 10;
    };

    explicit UnfinishedBytes(Options options) : options_(options) {}
    /// Of one core of so many; the largest message fits twice, whatever else is said.
    static Options part_of(Options options, std::uint16_t cores, std::uint64_t message_bytes_max);
    UnfinishedBytes(const UnfinishedBytes&) = delete;
    UnfinishedBytes& operator=(const UnfinishedBytes&) = delete;

    /// What one request or message holds of it, until this is gone.
    class Share {
      public:
        Share(std::shared_ptr<UnfinishedBytes> whole, std::string network)
            : whole_(std::move(whole)), network_(std::move(network)) {}
        ~Share() { whole_->give_back(network_, counted_); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        /// It has this many bytes now. False: that is too much.
        bool hold(std::size_t bytes);

      private:
        std::shared_ptr<UnfinishedBytes> whole_;
        std::string network_;
        std::uint64_t counted_ = 0;
    };

  private:
    bool take(const std::string& network, std::uint64_t bytes);
    void give_back(const std::string& network, std::uint64_t bytes);

    Options options_;
    std::uint64_t taken_ = 0;
    std::unordered_map<std::string, std::uint64_t> taken_by_;
};

}  // namespace oncewire::net
