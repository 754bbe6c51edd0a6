#include "server/hub/frames.hpp"

#include <memory>
#include <utility>

#include "shared/socketio/encoder.hpp"

namespace oncewire::hub {

std::vector<SharedFrame> encode_shared(const socketio::Packet& packet) {
    std::vector<SharedFrame> frames;
    for (auto& frame : socketio::encode(packet)) {
        frames.push_back(std::make_shared<const Frame>(std::move(frame)));
    }
    return frames;
}

std::vector<SharedFrame> encode_plain(std::string_view nsp, const std::string& data,
                                      const std::vector<std::string>& attachments) {
    return encode_shared(
        {socketio::PacketType::event, std::string(nsp), std::nullopt, data, attachments});
}

std::vector<SharedFrame> encode_with_position(std::string_view nsp, const std::string& data,
                                              const std::vector<std::string>& attachments,
                                              const std::string& position) {
    if (attachments.empty())
        return {std::make_shared<const Frame>(socketio::encode_event(nsp, data, position))};
    return encode_plain(nsp, data.substr(0, data.size() - 1) + ',' + position + ']', attachments);
}

}  // namespace oncewire::hub
