// Any frames in any order: a packet is written back as it came, a handshake survives a round trip, and
// sessions of both roles deliver nothing after their end and always know their next deadline before it.
//
// Input: frames separated by 0xFF; the first byte of each says channel, text or binary, and how long
// the peer took.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/base/verify.hpp"
#include "shared/engineio/packet.hpp"
#include "shared/engineio/session.hpp"

using namespace oncewire;
using namespace oncewire::engineio;

namespace {

void check_round_trip(const FrameView& frame, const PacketView& packet) {
    const Frame written = packet.payload_type == FrameType::binary
                              ? encode_binary(std::string(packet.payload))
                              : encode_frame(packet.type, packet.payload);
    VERIFY(written.type == frame.type && written.bytes == frame.bytes);
    if (packet.type != PacketType::open) return;
    auto handshake = decode_handshake(packet.payload);
    if (!handshake) return;
    const auto again = decode_handshake(encode_handshake(*handshake));
    handshake->names_payload_max = true;  // as every server of ours does
    VERIFY(again && *again == *handshake);
}

class Driver {
  public:
    explicit Driver(Role role) : session_(role, {EngineSid("s"), true, {}, 1000}, Instant()) {}

    void handle(std::uint8_t control, const PacketView& packet) {
        now_ += Millis((control >> 4) * 1000);
        if ((control & 4) != 0) session_.begin_probe(now_);
        if ((control & 8) != 0) session_.finish_upgrade();
        session_.handle_timeout(now_);
        const bool was_closed = session_.state() == SessionState::closed;
        const Channel channel = (control & 1) != 0 ? Channel::probe : Channel::current;
        const Effect effect = session_.handle_packet(channel, packet, now_);
        VERIFY(!was_closed || effect == Effect::ignore);
        const bool is_closed = session_.state() == SessionState::closed;
        VERIFY((effect == Effect::close_session) == (is_closed && !was_closed));
        const bool is_opening = session_.state() == SessionState::opening;
        VERIFY(session_.next_timeout().has_value() == (!is_closed && !is_opening));
        VERIFY(effect != Effect::switch_channel || session_.is_upgraded());
    }

  private:
    Session session_;
    Instant now_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    Driver server(Role::server);
    Driver client(Role::client);
    while (!rest.empty()) {
        const std::string_view piece = rest.substr(0, rest.find('\xff'));
        rest.remove_prefix(piece.size() < rest.size() ? piece.size() + 1 : rest.size());
        if (piece.empty()) continue;
        const auto control = static_cast<std::uint8_t>(piece.front());
        const FrameView frame((control & 2) != 0 ? FrameType::binary : FrameType::text,
                              piece.substr(1));
        const auto packet = decode_frame(frame);
        if (!packet) continue;
        check_round_trip(frame, *packet);
        server.handle(control, *packet);
        client.handle(control, *packet);
    }
    return 0;
}
