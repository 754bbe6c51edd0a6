#include "client-wasm/websocket_host.hpp"

#include <emscripten.h>
#include <emscripten/html5.h>

#include <algorithm>
#include <utility>

#include "client-wasm/platform.hpp"

namespace oncewire::client_wasm {

// The one call outward: a hint that polling is worth while.
EM_JS(void, events_ready, (void* host), { Module['eventsReady'](host); });

// emscripten_websocket_delete() misses its own table entry, so every lost link would stay in memory.
EM_JS(void, forget_socket, (int socket), { delete WS.sockets[socket]; });

WebSocketHost::WebSocketHost(Options options)
    : url_(std::move(options.url)), client_(options.client, Prng(options.seed)) {}

WebSocketHost::~WebSocketHost() {
    if (timer_ != 0) emscripten_clear_timeout(timer_);
    while (!links_.empty()) close_link(links_.back().id, true);
}

void WebSocketHost::settle() {
    do {
        for (const auto id : std::exchange(unopened_, {})) client_.handle_link_closed(id, now());
        while (auto output = client_.poll_output()) perform(std::move(*output));
    } while (!unopened_.empty());
    arm_timer();
    if (!events_.empty()) events_ready(this);
}

void WebSocketHost::perform(peer::ClientOutput output) {
    if (const auto* open = std::get_if<peer::OpenLink>(&output)) {
        open_link(open->link);
    } else if (const auto* frame = std::get_if<peer::SendFrame>(&output)) {
        send(frame->link, frame->frame);
    } else if (const auto* close = std::get_if<peer::CloseLink>(&output)) {
        close_link(close->link, true);
    } else if (auto event = page_event(std::move(output))) {
        events_.push_back(std::move(*event));
    }
}

void WebSocketHost::open_link(peer::LinkId id) {
    events_.push_back(attempt_event(id));
    EmscriptenWebSocketCreateAttributes attributes{};
    attributes.url = url_.c_str();
    const EMSCRIPTEN_WEBSOCKET_T socket = emscripten_websocket_new(&attributes);
    if (socket <= 0) {
        unopened_.push_back(id);
        return;
    }
    links_.push_back({id, socket});
    // An error is always followed by a close, which says the same.
    emscripten_websocket_set_onopen_callback(socket, this, handle_open);
    emscripten_websocket_set_onmessage_callback(socket, this, handle_message);
    emscripten_websocket_set_onclose_callback(socket, this, handle_close);
}

void WebSocketHost::send(peer::LinkId id, const Frame& frame) {
    const Link* link = find(id);
    if (!link) return;
    if (frame.type == FrameType::text) {
        emscripten_websocket_send_utf8_text(link->socket, frame.bytes.c_str());
    } else {
        emscripten_websocket_send_binary(link->socket, const_cast<char*>(frame.bytes.data()),
                                         static_cast<std::uint32_t>(frame.bytes.size()));
    }
}

void WebSocketHost::close_link(peer::LinkId id, bool by_us) {
    const Link* link = find(id);
    if (!link) return;
    const EMSCRIPTEN_WEBSOCKET_T socket = link->socket;
    if (by_us) emscripten_websocket_close(socket, 0, nullptr);
    emscripten_websocket_delete(socket);
    forget_socket(socket);
    std::erase_if(links_, [&](const Link& other) { return other.id == id; });
}

void WebSocketHost::arm_timer() {
    const auto deadline = client_.next_timeout();
    if (deadline == armed_for_) return;
    if (timer_ != 0) emscripten_clear_timeout(timer_);
    timer_ = 0;
    armed_for_ = deadline;
    if (!deadline) return;
    const auto wait = std::max<std::int64_t>(0, (*deadline - now()).count());
    timer_ = emscripten_set_timeout(handle_timer, static_cast<double>(wait), this);
}

const WebSocketHost::Link* WebSocketHost::find(peer::LinkId id) const {
    for (const auto& link : links_) {
        if (link.id == id) return &link;
    }
    return nullptr;
}

peer::LinkId WebSocketHost::link_of(EMSCRIPTEN_WEBSOCKET_T socket) const {
    for (const auto& link : links_) {
        if (link.socket == socket) return link.id;
    }
    return 0;
}

const PageEvent* WebSocketHost::poll_event() {
    if (events_.empty()) return nullptr;
    current_event_ = std::move(events_.front());
    events_.pop_front();
    return &current_event_;
}

EM_BOOL WebSocketHost::handle_open(int, const EmscriptenWebSocketOpenEvent* event, void* host) {
    auto& self = *static_cast<WebSocketHost*>(host);
    self.client_.handle_link_opened(self.link_of(event->socket), now());
    self.settle();
    return EM_TRUE;
}

EM_BOOL WebSocketHost::handle_message(int, const EmscriptenWebSocketMessageEvent* event,
                                      void* host) {
    auto& self = *static_cast<WebSocketHost*>(host);
    // A text message is handed over with a final NUL, which is counted.
    const FrameView frame(
        event->isText ? FrameType::text : FrameType::binary,
        {reinterpret_cast<const char*>(event->data), event->numBytes - (event->isText ? 1 : 0)});
    self.client_.handle_frame(self.link_of(event->socket), frame, now());
    self.settle();
    return EM_TRUE;
}

EM_BOOL WebSocketHost::handle_close(int, const EmscriptenWebSocketCloseEvent* event, void* host) {
    auto& self = *static_cast<WebSocketHost*>(host);
    const peer::LinkId id = self.link_of(event->socket);
    self.close_link(id, false);
    self.client_.handle_link_closed(id, now());
    self.settle();
    return EM_TRUE;
}

void WebSocketHost::handle_timer(void* host) {
    auto& self = *static_cast<WebSocketHost*>(host);
    self.timer_ = 0;
    self.armed_for_.reset();
    self.client_.handle_timeout(now());
    self.settle();
}

}  // namespace oncewire::client_wasm
