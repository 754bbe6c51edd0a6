#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shared/delivery/position.hpp"
#include "shared/engineio/handshake.hpp"
#include "shared/socketio/decoder.hpp"
#include "tests/sim/guest_house.hpp"
#include "tests/sim/link.hpp"

namespace oncewire::sim {

/// An unmodified client of the guest house, as its source has it: takes any string at the end of an
/// event for the offset it has reached, and shows pid and offset when it comes back. Beside it, what the
/// client cannot know: whether it was told everything it should, nothing twice, and nothing else.
class Guest final : public LinkEnd {
  public:
    Guest(Env& env, Network& network, GuestHouse& house, std::uint32_t number);

    void open();
    /// Comes back, wherever it is, and never goes far again.
    void stay_near();
    void close();
    /// Empty while it is nobody.
    const std::string& sid() const { return session_.sid; }
    const std::string& name() const { return name_; }

    bool is_at_rest() const;
    std::string describe() const;

    void link_opened(LinkNumber) override {}
    void link_frame(LinkNumber link, const Frame& frame) override;
    void link_written(LinkNumber) override {}
    void link_closed(LinkNumber link) override;

  private:
    /// What is known of the session that the pid stands for.
    struct Session {
        std::string pid;
        std::string sid;
        std::string offset;           ///< as the client keeps it
        delivery::Offset read = 0;    ///< how far it was told, or is said to have been
        std::uint64_t forgotten = 0;  ///< of the house, when it began
        std::map<std::string, delivery::Offset> rooms;  ///< those it is in, since
        std::set<std::string> left;                     ///< those it is not in any more
    };
    using Recorded = GuestHouse::Recorded;

    void dial();
    void lose_link();
    void send(std::string text);
    void watch_heartbeat();
    void handle(const socketio::Packet& packet);
    void handle_connect(std::string_view data);
    void begin_session(std::string pid, std::string sid, std::string_view reason);
    void check_reason(std::string_view reason);
    void handle_event(std::string_view data);
    void take_recorded(std::string_view name, std::string_view room,
                       const Recorded::value_type& one);
    bool is_put_out_after(delivery::Offset offset, std::string_view room) const;
    void change_rooms(std::string_view name, const std::string& room, delivery::Offset offset);
    bool may_see(const store::RecordedEvent& event) const;
    void check_nothing_missed(delivery::Offset end);
    void in_this_life(Millis delay, EventHeap::Action action);

    Env& env_;
    Network& network_;
    GuestHouse& house_;
    std::string name_;
    Session session_;
    std::uint64_t life_ = 0;
    bool closed_ = false;
    bool refused_ = false;
    bool stays_near_ = false;
    bool connected_ = false;
    std::optional<LinkNumber> link_;
    engineio::Timings timings_;
    Instant newest_ping_;
    Instant asked_at_;                   // CONNECT was sent
    std::uint64_t asked_forgotten_ = 0;  // of the house, then
    Instant said_at_;                    // by the server, what was heard last of this session
    socketio::Decoder decoder_;
};

}  // namespace oncewire::sim
