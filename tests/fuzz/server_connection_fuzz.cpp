// Any client at all: whatever it sends and whenever it goes, each namespace it asked for is reported Left
// exactly once, nothing is heard from one that it is not in, and the end of the connection is the end.
//
// Input: steps separated by 0xFF; the first byte of each says what happens, the rest is the frame.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/base/verify.hpp"
#include "shared/peer/server_connection.hpp"

using namespace oncewire;
using namespace oncewire::peer;

namespace {

class Server {
  public:
    Server() : connection_({{EngineSid("s"), true, {}, 1000}}, Instant()) {}

    void step(std::uint8_t control, std::string_view bytes) {
        now_ += Millis((control >> 4) * 1000);
        connection_.handle_timeout(now_);
        drain();
        if (ended_) return;
        switch (control & 15) {
            case 0:
                hear(engineio::Channel::current, FrameType::text, bytes);
                break;
            case 1:
                hear(engineio::Channel::current, FrameType::binary, bytes);
                break;
            case 2:
                hear(engineio::Channel::probe, FrameType::text, bytes);
                break;
            case 3:
                hear(engineio::Channel::probe, FrameType::binary, bytes);
                break;
            case 4:
                connection_.handle_probe_opened(now_);
                break;
            case 5:
                connection_.handle_probe_closed();
                break;
            case 6:
                answer(true);
                break;
            case 7:
                answer(false);
                break;
            case 8:
                leave();
                break;
            case 9:
                connection_.close(socketio::DisconnectReason::server_shutting_down);
                break;
            case 10:
                connection_.handle_transport_closed(engineio::CloseReason::transport_error);
                break;
            default:
                hear(engineio::Channel::current, FrameType::text, bytes);
                break;
        }
        drain();
    }

    void finish() {
        if (!ended_) connection_.handle_transport_closed(engineio::CloseReason::transport_close);
        drain();
        VERIFY(live_.empty());
        VERIFY(connection_.is_closed() && !connection_.next_timeout());
    }

  private:
    void hear(engineio::Channel channel, FrameType type, std::string_view bytes) {
        connection_.handle_frame(channel, FrameView(type, bytes), now_);
    }

    void answer(bool yes) {
        if (asked_.empty()) return;
        const NamespaceIndex index = *asked_.begin();
        asked_.erase(asked_.begin());
        if (yes) {
            joined_.insert(index);
            connection_.accept(index, R"({"sid":"x"})");
        } else {
            live_.erase(index);
            connection_.reject(index, R"({"message":"no"})");
        }
    }

    void leave() {
        if (!joined_.empty()) connection_.disconnect(*joined_.begin());
    }

    void drain() {
        while (auto output = connection_.poll_output()) {
            VERIFY(!ended_);
            std::visit([this](const auto& it) { take(it); }, *output);
        }
    }

    void take(const Transmit&) {}
    void take(const ChannelSwitched&) {}
    void take(const CloseChannel& it) { ended_ = it.channel == engineio::Channel::current; }
    void take(const ConnectRequested& it) {
        VERIFY(live_.insert(it.index).second);
        asked_.insert(it.index);
    }
    void take(const EventReceived& it) { VERIFY(joined_.contains(it.index)); }
    void take(const AckReceived& it) { VERIFY(joined_.contains(it.index)); }
    void take(const MessageReceived&) { VERIFY(false); }  // this server speaks Socket.IO
    void take(const Left& it) {
        VERIFY(live_.erase(it.index) == 1);
        joined_.erase(it.index);
        asked_.erase(it.index);
    }

    ServerConnection connection_;
    Instant now_{};
    std::set<NamespaceIndex> live_, asked_, joined_;
    bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    Server server;
    while (!rest.empty()) {
        const std::string_view piece = rest.substr(0, rest.find('\xff'));
        rest.remove_prefix(piece.size() < rest.size() ? piece.size() + 1 : rest.size());
        if (!piece.empty()) server.step(static_cast<std::uint8_t>(piece.front()), piece.substr(1));
    }
    server.finish();
    return 0;
}
