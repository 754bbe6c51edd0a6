#include "client-wasm/client_host.hpp"

#include <emscripten.h>
#include <emscripten/html5.h>

#include <algorithm>
#include <utility>

#include "client-wasm/platform.hpp"

namespace oncewire::client_wasm {

// Outward calls; js/engine.js answers all of them.

// A hint that taking events is worth while.
EM_JS(void, events_ready, (void* host), { Module['eventsReady'](host); });

// Whose WebSocket the next one is.
EM_JS(void, will_dial, (void* host), { Module['willDial'](host); });

// Emscripten's own handler copies a message before its size can be judged, and byte by byte.
EM_JS(void, receive_in_page, (void* host, int link, int socket), {
    WS.sockets[socket].onmessage = function(event) { Module['received'](host, link, event); };
    WS.sockets[socket].onerror = function(event) { Module['failed'](host, event); };
    WS.sockets[socket].onclose = function(event) { Module['closed'](host, link, event); };
});

EM_JS(void, send_request, (void* host, int link, const char* sid, const char* body, int size), {
    const bytes = body ? HEAPU8.slice(body, body + size) : undefined;
    Module['request'](host, link, UTF8ToString(sid), bytes);
});

EM_JS(void, abandon_request, (void* host, int link), { Module['abandon'](host, link); });

// emscripten_websocket_delete() misses its own table entry, so every lost link would stay in memory.
EM_JS(void, forget_socket, (int socket), { delete WS.sockets[socket]; });

ClientHost::ClientHost(Options options)
    : websocket_url_(std::move(options.websocket_url)),
      client_(std::move(options.client), Prng(options.seed)) {}

ClientHost::~ClientHost() {
    if (timer_ != 0) emscripten_clear_timeout(timer_);
    while (!links_.empty()) close_link(links_.back().id, true);
}

void ClientHost::configure(Options options) {
    websocket_url_ = std::move(options.websocket_url);
    client_.set_options(options.client);
    settle();
}

void ClientHost::settle() {
    bool begins = false;
    do {
        for (const auto id : std::exchange(unopened_, {})) client_.handle_link_closed(id, now());
        while (auto output = begins ? std::nullopt : client_.poll_output()) {
            begins = std::holds_alternative<peer::AttemptBegun>(*output);
            perform(std::move(*output));
        }
    } while (!unopened_.empty());
    arm_timer();
    if (!events_.empty()) events_ready(this);
}

void ClientHost::perform(peer::ClientOutput output) {
    if (const auto* open = std::get_if<peer::OpenLink>(&output)) {
        open_link(*open);
    } else if (const auto* frame = std::get_if<peer::SendFrame>(&output)) {
        send(frame->link, frame->frame);
    } else if (const auto* request = std::get_if<peer::SendRequest>(&output)) {
        send_request(this, static_cast<int>(request->link), request->sid.c_str(),
                     request->body ? request->body->data() : nullptr,
                     request->body ? static_cast<int>(request->body->size()) : 0);
    } else if (const auto* close = std::get_if<peer::CloseLink>(&output)) {
        close_link(close->link, true);
    } else if (auto event = page_event(std::move(output))) {
        events_.push_back(std::move(*event));
    }
}

void ClientHost::open_link(const peer::OpenLink& open) {
    if (open.transport == engineio::TransportKind::polling) return;
    const std::string url = open.sid.empty() ? websocket_url_ : websocket_url_ + "&sid=" + open.sid;
    EmscriptenWebSocketCreateAttributes attributes{};
    attributes.url = url.c_str();
    will_dial(this);
    const EMSCRIPTEN_WEBSOCKET_T socket = emscripten_websocket_new(&attributes);
    if (socket <= 0) {
        unopened_.push_back(open.link);
        return;
    }
    links_.push_back({open.link, socket});
    emscripten_websocket_set_onopen_callback(socket, this, handle_open);
    receive_in_page(this, static_cast<int>(open.link), socket);
}

void ClientHost::send(peer::LinkId id, const Frame& frame) {
    const Link* link = find(id);
    if (!link) return;
    if (frame.type == FrameType::text) {
        emscripten_websocket_send_utf8_text(link->socket, frame.bytes.c_str());
    } else {
        emscripten_websocket_send_binary(link->socket, const_cast<char*>(frame.bytes.data()),
                                         static_cast<std::uint32_t>(frame.bytes.size()));
    }
}

void ClientHost::close_link(peer::LinkId id, bool by_us) {
    const Link* link = find(id);
    if (!link) return abandon_request(this, static_cast<int>(id));
    const EMSCRIPTEN_WEBSOCKET_T socket = link->socket;
    if (by_us) emscripten_websocket_close(socket, 0, nullptr);
    emscripten_websocket_delete(socket);
    forget_socket(socket);
    std::erase_if(links_, [&](const Link& other) { return other.id == id; });
}

void ClientHost::handle_closed(peer::LinkId link) {
    close_link(link, false);
    client_.handle_link_closed(link, now());
    settle();
}

std::uint32_t ClientHost::handle_abridged(peer::LinkId link, std::string_view event) {
    // What is held counts by its size, and is handed on in another call.
    if (client_.is_joining()) return show_whole;
    client_.handle_frame(link, {FrameType::text, event}, now());
    std::uint32_t verdict = drop;
    while (auto output = client_.poll_output()) {
        if (const auto* arrived = std::get_if<peer::EventArrived>(&*output)) {
            verdict = verdict_on(*arrived);
            break;
        }
        perform(std::move(*output));
    }
    settle();
    return verdict;
}

std::uint32_t ClientHost::verdict_on(const peer::EventArrived& event) const {
    return hand_on | (event.position ? without_last : 0u) |
           (client_.is_tracking(event.index) ? 0u : until_changed) | event.index << index_shift;
}

void ClientHost::arm_timer() {
    const auto deadline = client_.next_timeout();
    if (deadline == armed_for_) return;
    if (timer_ != 0) emscripten_clear_timeout(timer_);
    timer_ = 0;
    armed_for_ = deadline;
    if (!deadline) return;
    const auto wait = std::max<std::int64_t>(0, (*deadline - now()).count());
    timer_ = emscripten_set_timeout(handle_timer, static_cast<double>(wait), this);
}

const ClientHost::Link* ClientHost::find(peer::LinkId id) const {
    for (const auto& link : links_) {
        if (link.id == id) return &link;
    }
    return nullptr;
}

const std::string& ClientHost::take_events() {
    taken_.clear();
    attachments_.clear();
    for (auto& event : events_) {
        taken_ += taken_.empty() ? '[' : ',';
        taken_ += event.json;
        for (auto& bytes : event.attachments) attachments_.push_back(std::move(bytes));
    }
    if (!taken_.empty()) taken_ += ']';
    events_.clear();
    return taken_;
}

EM_BOOL ClientHost::handle_open(int, const EmscriptenWebSocketOpenEvent* event, void* host) {
    auto& self = *static_cast<ClientHost*>(host);
    for (const auto& link : self.links_) {
        if (link.socket != event->socket) continue;
        self.client_.handle_link_opened(link.id, now());
        break;
    }
    self.settle();
    return EM_TRUE;
}

void ClientHost::handle_timer(void* host) {
    auto& self = *static_cast<ClientHost*>(host);
    self.timer_ = 0;
    self.armed_for_.reset();
    self.client_.handle_timeout(now());
    self.settle();
}

}  // namespace oncewire::client_wasm
