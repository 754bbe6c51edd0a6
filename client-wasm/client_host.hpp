#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-wasm/event_json.hpp"
#include "shared/peer/client.hpp"

namespace oncewire::client_wasm {

/// Runs one Client in a page: has the page open its WebSockets and make its HTTP requests, arms its one timer, and keeps what is for the page until the page takes it. Contract of
/// the loop: shared/README.md.
///
/// Never calls into the page with an event; it only says that there are some (events_ready).
class ClientHost {
  public:
    struct Options {
        std::string websocket_url;  ///< complete, with the transport's query
        peer::Client::Options client;
        std::uint64_t seed = 0;  ///< for jitter
    };

    explicit ClientHost(Options options);
    ~ClientHost();
    ClientHost(const ClientHost&) = delete;
    ClientHost& operator=(const ClientHost&) = delete;

    peer::Client& client() { return client_; }
    /// For the attempts to come, and the one that the page was just told of.
    void configure(Options options);
    /// After every call on client(): performs what it wants done and arms the timer. What an attempt
    /// begins with waits for the next call, so that the page hears of it first and may configure() it.
    void settle();
    /// What the page is to do with an event whose arguments it keeps. `hand_on` comes with the other two,
    /// and from `index_shift` on with the namespace.
    enum Verdict : std::uint32_t {
        drop = 0,
        show_whole = 1,  ///< not taken: handle_frame() wants all of it
        hand_on = 2,
        without_last = 4,   ///< that was a position, and is not the application's
        until_changed = 8,  ///< so is every other of that name, until something else happens here
        index_shift = 4,
    };
    /// A message that is an event, with its first argument, and its last if that is a string.
    std::uint32_t handle_abridged(peer::LinkId link, std::string_view event);

    /// All events for the page as one JSON array, or empty. Valid until the next call.
    const std::string& take_events();
    /// Those of the events taken last, in their order.
    const std::vector<std::string>& attachments() const { return attachments_; }

  private:
    void perform(peer::ClientOutput output);
    void open_link(const peer::OpenLink& open);
    std::uint32_t verdict_on(const peer::EventArrived& event) const;
    void arm_timer();

    static void handle_timer(void* host);

    std::string websocket_url_;
    peer::Client client_;
    std::vector<PageEvent> events_;
    std::string taken_;
    std::vector<std::string> attachments_;
    std::optional<Instant> armed_for_;
    long timer_ = 0;
};

}  // namespace oncewire::client_wasm
