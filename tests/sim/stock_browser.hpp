#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shared/delivery/position.hpp"
#include "shared/engineio/handshake.hpp"
#include "shared/socketio/decoder.hpp"
#include "tests/sim/env.hpp"
#include "tests/sim/link.hpp"

namespace oncewire::sim {

/// The tutorial's page on an unmodified client (tier 1): every message has an id of its own, one is in
/// flight and is sent again until it is acknowledged; the page remembers the newest id it has shown.
/// Speaks the protocol by the codecs alone, so that it shares no decisions with peer::Client.
class StockBrowser final : public LinkEnd {
  public:
    StockBrowser(Env& env, Network& network, AuthorId number);

    void open();
    void type();
    void ask_echo();
    /// All is gone: what was queued, what was shown. The tutorial promises nothing across this.
    void refresh();
    void close();
    /// The server's database was replaced, which this client cannot know: a person reloads the page.
    void reload_if_replaced();

    bool is_at_rest() const;
    std::string describe() const;

    void link_opened(LinkNumber) override {}
    void link_frame(LinkNumber link, const Frame& frame) override;
    void link_written(LinkNumber) override {}
    void link_closed(LinkNumber link) override;

  private:
    struct Queued {
        MessageId message = 0;
        std::string args;  ///< text and id, as JSON
    };
    struct Page {
        std::optional<LinkNumber> link;
        bool connected = false;
        engineio::Timings timings;
        Instant newest_ping;
        socketio::Decoder decoder;
        std::deque<Queued> queue;
        socketio::AckId next_ack = 0;
        std::optional<socketio::AckId> in_flight;  // of the queue's front
        std::optional<socketio::AckId> echo;
        std::string echo_value;
        ReaderState reader;
        std::uint64_t newest_id = 0;
    };

    void leave();
    void in_this_page(Millis delay, EventHeap::Action action);
    void dial();
    void lose_link();
    void send(std::string text);
    void send_front();
    void watch_heartbeat();
    void handle(const socketio::Packet& packet);
    void handle_event(std::string_view data);
    void handle_ack(socketio::AckId id, std::string_view data);

    Env& env_;
    Network& network_;
    AuthorId number_;
    AuthorId author_;  // another one after each refresh: no order is promised across it
    std::uint64_t life_ = 0;
    bool closed_ = false;
    std::unique_ptr<Page> page_;
};

}  // namespace oncewire::sim
