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

EM_JS(void, dial, (void* host, int link, const char* url),
      { Module['dial'](host, link, UTF8ToString(url)); });

EM_JS(void, send_frame, (void* host, int link, int is_text, const char* bytes, int size), {
    const frame = HEAPU8.slice(bytes, bytes + size);
    Module['send'](host, link, is_text ? UTF8Decoder.decode(frame) : frame);
});

EM_JS(void, send_request, (void* host, int link, const char* sid, const char* body, int size), {
    const bytes = body ? HEAPU8.slice(body, body + size) : undefined;
    Module['request'](host, link, UTF8ToString(sid), bytes);
});

// A WebSocket, or the GET of a polling link.
EM_JS(void, hang_up, (void* host, int link), { Module['hangUp'](host, link); });

ClientHost::ClientHost(Options options)
    : websocket_url_(std::move(options.websocket_url)),
      client_(std::move(options.client), Prng(options.seed)) {}

ClientHost::~ClientHost() {
    if (timer_ != 0) emscripten_clear_timeout(timer_);
}

void ClientHost::configure(Options options) {
    websocket_url_ = std::move(options.websocket_url);
    client_.set_options(options.client);
    settle();
}

void ClientHost::settle() {
    bool begins = false;
    while (auto output = begins ? std::nullopt : client_.poll_output()) {
        begins = std::holds_alternative<peer::AttemptBegun>(*output);
        perform(std::move(*output));
    }
    arm_timer();
    if (!events_.empty()) events_ready(this);
}

void ClientHost::perform(peer::ClientOutput output) {
    if (const auto* open = std::get_if<peer::OpenLink>(&output)) {
        open_link(*open);
    } else if (const auto* frame = std::get_if<peer::SendFrame>(&output)) {
        send_frame(this, static_cast<int>(frame->link), frame->frame.type == FrameType::text,
                   frame->frame.bytes.data(), static_cast<int>(frame->frame.bytes.size()));
    } else if (const auto* request = std::get_if<peer::SendRequest>(&output)) {
        send_request(this, static_cast<int>(request->link), request->sid.c_str(),
                     request->body ? request->body->data() : nullptr,
                     request->body ? static_cast<int>(request->body->size()) : 0);
    } else if (const auto* close = std::get_if<peer::CloseLink>(&output)) {
        hang_up(this, static_cast<int>(close->link));
    } else if (auto event = page_event(std::move(output))) {
        events_.push_back(std::move(*event));
    }
}

void ClientHost::open_link(const peer::OpenLink& open) {
    if (open.transport == engineio::TransportKind::polling) return;
    const std::string url = open.sid.empty() ? websocket_url_ : websocket_url_ + "&sid=" + open.sid;
    dial(this, static_cast<int>(open.link), url.c_str());
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

void ClientHost::handle_timer(void* host) {
    auto& self = *static_cast<ClientHost*>(host);
    self.timer_ = 0;
    self.armed_for_.reset();
    self.client_.handle_timeout(now());
    self.settle();
}

}  // namespace oncewire::client_wasm
