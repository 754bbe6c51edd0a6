#include "tests/sim/stock_browser.hpp"

#include <utility>

#include "shared/base/json.hpp"
#include "shared/engineio/packet.hpp"

namespace oncewire::sim {
namespace {

using Side = Network::Side;

/// Authors of browsers count from 0; those of stock pages from here, a thousand pages for each.
constexpr AuthorId first_stock_author = 1'000;

}  // namespace

StockBrowser::StockBrowser(Env& env, Network& network, AuthorId number)
    : env_(env), network_(network), number_(number), author_(first_stock_author * (number + 1)) {}

// ---- the user -----------------------------------------------------------------------------------

void StockBrowser::open() {
    if (page_ || closed_) return;
    env_.note("stock {} loads the page", number_);
    ++author_;
    page_ = std::make_unique<Page>();
    dial();
}

void StockBrowser::type() {
    if (!page_) return;
    const MessageId message = env_.witness.add_message(author_, true);
    const std::string name = std::to_string(message);
    page_->queue.push_back({message, "\"m" + name + ":stock\",\"id-" + name + '"'});
    env_.note("stock {} types m{}", number_, message);
    env_.witness.saved(message);
    if (page_->queue.size() == 1) send_front();
}

void StockBrowser::ask_echo() {
    if (!page_ || !page_->connected || page_->echo) return;
    page_->echo = page_->next_ack++;
    page_->echo_value = std::to_string(*page_->echo);
    send("42" + page_->echo_value + R"(["echo",)" + page_->echo_value + ']');
}

void StockBrowser::refresh() {
    if (!page_) return;
    env_.note("stock {} refreshes", number_);
    leave();
    env_.heap.after(env_.choices.delay("load", 20, 2'000), [this] { open(); });
}

void StockBrowser::reload_if_replaced() {
    if (page_ && !page_->reader.epoch.text.empty() &&
        !(page_->reader.epoch == env_.witness.epoch())) {
        refresh();
    }
}

void StockBrowser::close() {
    closed_ = true;
    if (page_) leave();
}

void StockBrowser::leave() {
    if (page_->link) network_.abandon(*page_->link, Side::client);
    for (const auto& queued : page_->queue) env_.witness.release(queued.message);
    ++life_;
    page_.reset();
}

bool StockBrowser::is_at_rest() const {
    if (closed_) return true;
    return page_ && page_->queue.empty() && !page_->echo &&
           page_->reader.count == env_.witness.head();
}

std::string StockBrowser::describe() const {
    std::string text = "stock " + std::to_string(number_);
    if (!page_) return text + " has no page";
    text += page_->connected ? " is connected" : " is not connected";
    text += ", " + std::to_string(page_->queue.size()) + " messages wait, shows ";
    return text + std::to_string(page_->reader.count) + " of " +
           std::to_string(env_.witness.head());
}

void StockBrowser::in_this_page(Millis delay, EventHeap::Action action) {
    env_.heap.after(delay, [this, life = life_, action = std::move(action)] {
        if (life == life_) action();
    });
}

// ---- the link -----------------------------------------------------------------------------------

void StockBrowser::dial() {
    page_->link = network_.dial(*this);
    page_->decoder = socketio::Decoder();
    page_->newest_ping = env_.now();
    watch_heartbeat();
}

/// A handshake or a ping must come within interval + timeout, else the link is given up.
void StockBrowser::watch_heartbeat() {
    const auto patience = page_->timings.ping_interval + page_->timings.ping_timeout;
    in_this_page(patience, [this, link = page_->link, patience] {
        if (page_->link != link || page_->newest_ping + patience > env_.now()) return;
        network_.close(*link, Side::client);
        lose_link();
    });
}

void StockBrowser::link_closed(LinkNumber link) {
    if (page_ && page_->link == link) lose_link();
}

void StockBrowser::lose_link() {
    page_->link.reset();
    page_->connected = false;
    page_->in_flight.reset();
    page_->echo.reset();
    in_this_page(env_.choices.delay("reconnect", 500, 5'000), [this] { dial(); });
}

void StockBrowser::send(std::string text) {
    network_.send(*page_->link, Side::client,
                  {std::make_shared<const Frame>(Frame{FrameType::text, std::move(text)})});
}

void StockBrowser::link_frame(LinkNumber link, const Frame& frame) {
    if (!page_ || page_->link != link) return;
    const auto packet = engineio::decode_frame(frame);
    if (!packet) return env_.witness.report(Breach::dishonest, "a frame that is no packet");
    if (packet->type == engineio::PacketType::open) {
        const auto handshake = engineio::decode_handshake(packet->payload);
        if (handshake) page_->timings = handshake->timings;
        send(R"(40{"serverOffset":)" + std::to_string(page_->newest_id) + '}');
    } else if (packet->type == engineio::PacketType::ping) {
        page_->newest_ping = env_.now();
        watch_heartbeat();
        send("3");
    } else if (packet->type == engineio::PacketType::message) {
        auto decoded = page_->decoder.decode({packet->payload_type, packet->payload}, env_.now());
        if (!decoded) return env_.witness.report(Breach::dishonest, "a packet that is none");
        if (*decoded) handle(**decoded);
    }
}

void StockBrowser::handle(const socketio::Packet& packet) {
    if (packet.type == socketio::PacketType::connect) {
        page_->connected = true;
        send_front();
    } else if (packet.type == socketio::PacketType::event) {
        handle_event(packet.data);
    } else if (packet.type == socketio::PacketType::ack) {
        handle_ack(*packet.ack_id, packet.data);
    } else if (packet.type == socketio::PacketType::disconnect) {
        network_.close(*page_->link, Side::client);
        lose_link();
    }
}

// ---- the page -----------------------------------------------------------------------------------

void StockBrowser::send_front() {
    if (!page_->connected || page_->queue.empty()) return;
    page_->in_flight = page_->next_ack++;
    send("42" + std::to_string(*page_->in_flight) + R"(["chat message",)" +
         page_->queue.front().args + ']');
    const Millis timeout = env_.choices.delay("ack timeout", 1'000, 10'000);
    in_this_page(timeout, [this, ack = page_->in_flight] {
        if (page_->in_flight == ack) send_front();
    });
}

void StockBrowser::handle_ack(socketio::AckId id, std::string_view data) {
    if (page_->echo == id) {
        page_->echo.reset();
        if (data != "[" + page_->echo_value + "]") {
            env_.witness.report(Breach::dishonest, "another answer: " + std::string(data));
        }
        return;
    }
    if (page_->in_flight != id) return;  // of an attempt that had timed out
    const auto elements = json::elements(data);
    const bool accepted = elements.empty() || elements[0] == "null";
    env_.witness.settled(page_->queue.front().message, accepted);
    page_->queue.pop_front();
    page_->in_flight.reset();
    send_front();
}

void StockBrowser::handle_event(std::string_view data) {
    if (data.starts_with(R"(["noise")")) return;
    const auto elements = json::elements(data);
    const auto last = json::as_string(elements.back());
    const auto position = last ? delivery::parse_position(*last) : std::nullopt;
    if (!position || elements.size() < 4) {
        return env_.witness.report(Breach::leaked, "an event without a place");
    }
    const bool replaced =
        !page_->reader.epoch.text.empty() && !(page_->reader.epoch == position->epoch);
    if (replaced) return;
    const std::string_view before = elements[elements.size() - 2];
    const auto end = static_cast<std::size_t>(before.data() + before.size() - data.data());
    env_.note("stock {} shows offset {}", number_, position->offset);
    if (position->offset > page_->reader.count + 1) env_.witness.pass_gap(page_->reader, *position);
    env_.witness.handed_over(page_->reader, *position, std::string(data.substr(0, end)) + ']');
    page_->newest_id = static_cast<std::uint64_t>(json::as_integer(elements[2]).value_or(0));
}

}  // namespace oncewire::sim
