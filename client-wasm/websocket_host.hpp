#pragma once

#include <emscripten/websocket.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-wasm/event_json.hpp"
#include "shared/peer/client.hpp"

namespace oncewire::client_wasm {

/// Runs one Client in a page: opens its links as browser WebSockets, arms its one timer, and keeps
/// what is for the page until the page polls. Contract of the loop: shared/README.md.
///
/// Never calls into the page with an event; it only says that there are some (events_ready).
class WebSocketHost {
  public:
    struct Options {
        std::string url;  ///< complete, with the transport's query
        peer::Client::Options client;
        std::uint64_t seed = 0;  ///< for jitter
    };

    explicit WebSocketHost(Options options);
    ~WebSocketHost();
    WebSocketHost(const WebSocketHost&) = delete;
    WebSocketHost& operator=(const WebSocketHost&) = delete;

    peer::Client& client() { return client_; }
    /// After every call on client(): performs what it wants done and arms the timer.
    void settle();
    /// The oldest event for the page. Its views are valid until the next call.
    const PageEvent* poll_event();
    /// Of the event polled last.
    const PageEvent& current_event() const { return current_event_; }

  private:
    struct Link {
        peer::LinkId id = 0;
        EMSCRIPTEN_WEBSOCKET_T socket = 0;
    };

    void perform(peer::ClientOutput output);
    void open_link(peer::LinkId id);
    void send(peer::LinkId id, const Frame& frame);
    void close_link(peer::LinkId id, bool by_us);
    void arm_timer();
    const Link* find(peer::LinkId id) const;
    peer::LinkId link_of(EMSCRIPTEN_WEBSOCKET_T socket) const;

    static EM_BOOL handle_open(int, const EmscriptenWebSocketOpenEvent*, void* host);
    static EM_BOOL handle_message(int, const EmscriptenWebSocketMessageEvent*, void* host);
    static EM_BOOL handle_close(int, const EmscriptenWebSocketCloseEvent*, void* host);
    static void handle_timer(void* host);

    std::string url_;
    peer::Client client_;
    std::vector<Link> links_;  // one, or two while an old one is being closed
    std::vector<peer::LinkId>
        unopened_;  // the browser refused them at once; reported after the drain
    std::deque<PageEvent> events_;
    PageEvent current_event_;
    std::optional<Instant> armed_for_;
    long timer_ = 0;
};

}  // namespace oncewire::client_wasm
