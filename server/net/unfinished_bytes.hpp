#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace oncewire::net {

/// How much memory bodies may take before their requests are answered: of one network, and in all.
/// Otherwise whoever begins many large requests and ends none holds one body for each connection.
/// One thread.
class UnfinishedBytes {
  public:
    struct Options {
        /// 32 MiB of one core: 32 of the largest bodies.
        std::uint64_t in_all = 32u << 20;
        /// 8 MiB of one core: eight people of an office who send their largest at the same time.
        std::uint64_t of_one_network = 8u << 20;
        /// 16 KiB: of each body that nobody counts, so that what people write gets in whatever somebody
        /// else is sending. Connections are counted anyway.
        std::size_t uncounted = 16u << 10;
    };

    explicit UnfinishedBytes(Options options) : options_(options) {}
    UnfinishedBytes(const UnfinishedBytes&) = delete;
    UnfinishedBytes& operator=(const UnfinishedBytes&) = delete;

    /// What one request holds of it, until this is gone.
    class Share {
      public:
        Share(std::shared_ptr<UnfinishedBytes> whole, std::string network)
            : whole_(std::move(whole)), network_(std::move(network)) {}
        ~Share() { whole_->give_back(network_, counted_); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        /// The body has this many bytes now. False: that is too much.
        bool grow_to(std::size_t bytes);

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
