#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/hub/hub_output.hpp"
#include "shared/socketio/packet.hpp"

/// Packets that go to several sockets, encoded once.
namespace oncewire::hub {

std::vector<SharedFrame> encode_shared(const socketio::Packet& packet);
/// An event, for all that have no use for positions. `data`: JSON array text.
std::vector<SharedFrame> encode_plain(std::string_view nsp, const std::string& data,
                                      const std::vector<std::string>& attachments);
/// The same with one more argument at its end, as JSON: how far its reader has got.
std::vector<SharedFrame> encode_with_position(std::string_view nsp, const std::string& data,
                                              const std::vector<std::string>& attachments,
                                              const std::string& position);

}  // namespace oncewire::hub
