#include "server/net/gate/unfinished_bytes.hpp"

#include <algorithm>

namespace oncewire::net {

UnfinishedBytes::Options UnfinishedBytes::part_of(Options options, std::uint16_t cores,
                                                  std::uint64_t message_bytes_max) {
    options.of_one_network = std::max(options.of_one_network / cores, 2 * message_bytes_max);
    options.in_all = std::max(options.in_all / cores, options.of_one_network);
    return options;
}

bool UnfinishedBytes::Share::hold(std::size_t bytes) {
    const std::uint64_t size = bytes - std::min<std::uint64_t>(bytes, whole_->options_.uncounted);
    if (size > counted_ && !whole_->take(network_, size - counted_)) return false;
    if (size < counted_) whole_->give_back(network_, counted_ - size);
    counted_ = size;
    return true;
}

bool UnfinishedBytes::take(const std::string& network, std::uint64_t bytes) {
    if (taken_ + bytes > options_.in_all) return false;
    const auto found = taken_by_.find(network);
    const std::uint64_t own = found == taken_by_.end() ? 0 : found->second;
    if (own + bytes > options_.of_one_network) return false;
    taken_by_[network] = own + bytes;
    taken_ += bytes;
    return true;
}

void UnfinishedBytes::give_back(const std::string& network, std::uint64_t bytes) {
    if (bytes == 0) return;
    taken_ -= bytes;
    const auto found = taken_by_.find(network);
    if ((found->second -= bytes) == 0) taken_by_.erase(found);
}

}  // namespace oncewire::net
