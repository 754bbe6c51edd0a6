#include "server/net/web_sockets.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "shared/base/utf8.hpp"
#include "shared/base/verify.hpp"

namespace oncewire::net {
namespace {

/// 64 KiB: read from one connection in one turn.
constexpr std::size_t read_bytes = 64u << 10;
/// 128 KiB: read from all of them in one turn, as long as each gets 512 bytes. What their smallest packets cost
/// is what whoever waits for the next turn, for an answer of the store, or to be let in, waits.
constexpr std::size_t turn_bytes = 128u << 10;
constexpr std::size_t share_min = 512;

std::size_t share_of(std::size_t ready) {
    return std::clamp(turn_bytes / std::max<std::size_t>(ready, 1), share_min, read_bytes);
}

std::uint32_t slot_of(TransportId id) { return static_cast<std::uint32_t>(id); }

}  // namespace

WebSockets::WebSockets(Loop& loop, Options options)
    : options_(std::move(options)),
      loop_(loop),
      buffer_(read_bytes),
      inflater_(options_.server.max_http_buffer_size),
      deflated_batch_(options_.server.per_message_deflate.value_or(0)) {}

WebSockets::~WebSockets() {
    for (const auto& connection : by_socket_) {
        if (!connection) continue;
        loop_.forget(connection->socket);
        ::close(connection->socket);
    }
}

void WebSockets::open(TransportId id, Newcomer newcomer) {
    const int socket = newcomer.socket;
    const auto index = static_cast<std::size_t>(socket);
    if (by_socket_.size() <= index) by_socket_.resize(index + 1);
    if (socket_of_slot_.size() <= slot_of(id)) socket_of_slot_.resize(slot_of(id) + 1, -1);
    // The kernel gives a number out again when ours is closed; the hub an id when its CloseTransport was
    // performed, and it lets one WebSocket at a time be tried.
    VERIFY(!by_socket_[index] && socket_of_slot_[slot_of(id)] < 0);
    by_socket_[index] = std::make_unique<Connection>();
    socket_of_slot_[slot_of(id)] = socket;
    ++size_;
    Connection& connection = *by_socket_[index];
    connection.id = id;
    connection.socket = socket;
    connection.parser = WebSocketParser(
        {.message_bytes_max = options_.server.max_http_buffer_size, .deflate = newcomer.deflate});
    connection.deflate = newcomer.deflate;
    connection.seat = std::move(newcomer.seat);
    connection.network = std::move(newcomer.network);
    connection.to_send().append(newcomer.answer);
    mark_dirty(connection);
    if (!watch(connection)) return end(connection, engineio::CloseReason::transport_error);
    if (!newcomer.unread.empty()) unread_.push_back({{socket, id}, std::move(newcomer.unread)});
}

// ---- reading ------------------------------------------------------------------------------------

void WebSockets::handle_ready(int descriptor, std::uint32_t events) {
    if (!paused_) return arrived_.push_back({descriptor, events});
    const Connection* connection = by_socket_[static_cast<std::size_t>(descriptor)].get();
    if (!connection) return;
    loop_.unwatch(descriptor);
    held_.push_back({descriptor, connection->id});
}

void WebSockets::resume() {
    paused_ = false;
    for (const Named& named : std::exchange(held_, {})) {
        Connection* connection = find(named);
        if (connection && !watch(*connection) && connection->state == State::open) {
            end(*connection, engineio::CloseReason::transport_error);
        }
    }
}

void WebSockets::collect() {
    turn_left_ = turn_bytes;
    collect_more();
}

bool WebSockets::collect_more() {
    if (turn_left_ == 0) return false;
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(ready_taken_));
    ready_.insert(ready_.end(), arrived_.begin(), arrived_.end());
    arrived_.clear();
    ready_taken_ = 0;
    return true;
}

std::optional<TransportInput> WebSockets::poll_input() {
    do {
        if (!noticed_.empty()) {
            const TransportInput input = noticed_.front();
            noticed_.pop_front();
            return input;
        }
        while (Connection* connection = find(reading_)) {
            const auto input = connection->parser.next(unparsed_);
            if (!input) {
                if (!may_keep(*connection)) violate(*connection, CloseCode::try_again_later);
                break;
            }
            if (auto taken = take(*connection, *input)) return taken;
        }
        reading_ = {};
    } while (read_next());
    return std::nullopt;
}

/// Turns to the next source of bytes or news. False: there is none.
bool WebSockets::read_next() {
    if (!unread_.empty()) {
        const Unread next = std::move(unread_.front());
        unread_.pop_front();
        // A handshake's head fits in the buffer many times, so does what came behind it.
        VERIFY(next.bytes.size() <= buffer_.size());
        next.bytes.copy(buffer_.data(), next.bytes.size());
        reading_ = next.from;
        unparsed_ = std::span(buffer_).first(next.bytes.size());
        return true;
    }
    if (ready_taken_ < ready_.size()) {
        take_ready(ready_[ready_taken_++]);
        return true;
    }
    return !noticed_.empty();
}

void WebSockets::take_ready(Ready ready) {
    Connection* connection = by_socket_[static_cast<std::size_t>(ready.socket)].get();
    if (!connection) return;  // ended earlier in this turn
    if ((ready.events & EPOLLOUT) != 0) {
        flush(*connection);
        connection = by_socket_[static_cast<std::size_t>(ready.socket)].get();
    }
    if (connection && (ready.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(*connection);
}

void WebSockets::receive(Connection& connection) {
    const std::size_t share = share_of(ready_.size());
    const ssize_t count = recv(connection.socket, buffer_.data(), share, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (count <= 0) {
        if (connection.state == State::open) {
            end(connection, count == 0 ? engineio::CloseReason::transport_close
                                       : engineio::CloseReason::transport_error);
        }
        return drop(connection);
    }
    if (connection.state != State::open) return;  // whatever it still says is too late
    turn_left_ -= std::min(turn_left_, static_cast<std::size_t>(count));
    reading_ = {connection.socket, connection.id};
    unparsed_ = std::span(buffer_).first(static_cast<std::size_t>(count));
}

/// What came of a message so far. Most come whole, and hold nothing.
bool WebSockets::may_keep(Connection& connection) {
    const std::size_t bytes = connection.parser.unfinished_bytes();
    if (bytes == 0) connection.share.reset();
    if (bytes == 0 || !options_.unfinished) return true;
    if (!connection.share) {
        connection.share =
            std::make_unique<UnfinishedBytes::Share>(options_.unfinished, connection.network);
    }
    return connection.share->hold(bytes);
}

/// The owner's part of what a client said; the rest is done here.
std::optional<TransportInput> WebSockets::take(Connection& connection,
                                               const WebSocketInput& input) {
    switch (input.kind) {
        case WebSocketInput::Kind::message:
            return take_message(connection, input);
        case WebSocketInput::Kind::ping:
            connection.to_send().append_pong(input.message.bytes);
            mark_dirty(connection);
            return std::nullopt;
        case WebSocketInput::Kind::pong:
            return std::nullopt;
        case WebSocketInput::Kind::close:
            end(connection, engineio::CloseReason::transport_close);
            say_goodbye(connection, input.code);
            return std::nullopt;
        case WebSocketInput::Kind::violation:
            violate(connection, static_cast<CloseCode>(input.code));
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<TransportInput> WebSockets::take_message(Connection& connection,
                                                       const WebSocketInput& input) {
    FrameView message = input.message;
    if (input.is_compressed) {
        const auto inflated = inflater_.inflate(message.bytes);
        const bool is_bad_text =
            inflated && message.type == FrameType::text && !utf8::is_valid(*inflated);
        if (!inflated || is_bad_text) {
            violate(connection, inflated ? CloseCode::bad_text : inflated.error());
            return std::nullopt;
        }
        message.bytes = *inflated;
    }
    return TransportInput{.id = connection.id, .frame = message};
}

// ---- writing ------------------------------------------------------------------------------------

bool WebSockets::write(TransportId id, std::vector<SharedFrame> frames) {
    Connection* connection = find(id);
    if (!connection) return false;
    const auto outcome = send(*connection, std::move(frames));
    connection->awaits_written = outcome == SendBuffer::Outcome::waiting;
    after_send(*connection, outcome);
    return outcome == SendBuffer::Outcome::sent;
}

void WebSockets::close(TransportId id) {
    Connection* connection = find(id);
    if (!connection) return;
    socket_of_slot_[slot_of(id)] = -1;
    connection->state = State::leaving;
    say_goodbye(*connection, static_cast<std::uint16_t>(CloseCode::no_status));
}

void WebSockets::end_turn(Instant now) {
    batch_.forget();
    deflated_batch_.forget();
    for (std::size_t i = 0; i < dirty_.size(); ++i) {
        Connection* connection = find(dirty_[i]);
        if (!connection) continue;
        connection->in_dirty = false;
        if (connection->state == State::leaving) {
            goodbyes_.emplace_back(now + options_.close_timeout, dirty_[i]);
        }
        if (!connection->watches_writable) {
            flush(*connection);
        }
    }
    dirty_.clear();
}

SendBuffer& WebSockets::Connection::to_send() {
    if (!unsent) unsent = std::make_unique<SendBuffer>();
    return *unsent;
}

/// Most have nothing that waits, and are taken whole.
SendBuffer::Outcome WebSockets::send(Connection& connection, std::vector<SharedFrame> frames) {
    FramedBatch& batch = connection.deflate ? deflated_batch_ : batch_;
    const std::string_view bytes = batch.frame(std::move(frames));
    if (connection.unsent) return connection.unsent->send(connection.socket, bytes, batch);
    SendBuffer buffer;
    const auto outcome = buffer.send(connection.socket, bytes, batch);
    if (!buffer.empty()) connection.to_send() = std::move(buffer);
    return outcome;
}

void WebSockets::flush(Connection& connection) {
    using Outcome = SendBuffer::Outcome;
    after_send(connection,
               connection.unsent ? connection.unsent->flush(connection.socket) : Outcome::sent);
}

void WebSockets::after_send(Connection& connection, SendBuffer::Outcome outcome) {
    if (outcome == SendBuffer::Outcome::failed) {
        if (connection.state == State::open) {
            end(connection, engineio::CloseReason::transport_error);
        }
        return drop(connection);
    }
    watch_writable(connection, outcome == SendBuffer::Outcome::waiting);
    if (outcome == SendBuffer::Outcome::waiting) return;
    connection.unsent.reset();
    if (connection.awaits_written && connection.state == State::open) {
        noticed_.push_back({.kind = TransportInput::Kind::written, .id = connection.id});
    }
    connection.awaits_written = false;
    if (connection.state == State::leaving && !connection.in_dirty) {
        connection.state = State::shut;
        shutdown(connection.socket, SHUT_WR);
    }
}

void WebSockets::watch_writable(Connection& connection, bool watch) {
    if (connection.watches_writable == watch) return;
    connection.watches_writable = watch;
    // Fails only where nobody is watched, that is after pause(). What waits goes out no more then.
    const bool is_watched = this->watch(connection);
    if (!is_watched && connection.state == State::open) {
        end(connection, engineio::CloseReason::transport_error);
    }
}

bool WebSockets::watch(Connection& connection) {
    const std::uint32_t events = connection.watches_writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
    return loop_.watch(connection.socket, events, *this);
}

// ---- the end ------------------------------------------------------------------------------------

/// The owner is told, and the id is free.
void WebSockets::end(Connection& connection, engineio::CloseReason reason) {
    noticed_.push_back(
        {.kind = TransportInput::Kind::closed, .id = connection.id, .reason = reason});
    socket_of_slot_[slot_of(connection.id)] = -1;
    connection.state = State::leaving;
    mark_dirty(connection);
}

void WebSockets::violate(Connection& connection, CloseCode code) {
    end(connection, engineio::CloseReason::transport_error);
    say_goodbye(connection, static_cast<std::uint16_t>(code));
}

void WebSockets::say_goodbye(Connection& connection, std::uint16_t code) {
    std::string frame;
    append_close(frame, code);
    connection.to_send().append(frame);
    mark_dirty(connection);
}

void WebSockets::handle_timeout(Instant now) {
    while (!goodbyes_.empty() && goodbyes_.front().first <= now) {
        if (Connection* connection = find(goodbyes_.front().second)) drop(*connection);
        goodbyes_.pop_front();
    }
}

std::optional<Instant> WebSockets::next_timeout() const {
    return goodbyes_.empty() ? std::nullopt : std::optional(goodbyes_.front().first);
}

void WebSockets::drop(Connection& connection) {
    const int socket = connection.socket;
    by_socket_[static_cast<std::size_t>(socket)].reset();
    --size_;
    loop_.forget(socket);
    ::close(socket);
}

// ---- names --------------------------------------------------------------------------------------

/// An open connection.
WebSockets::Connection* WebSockets::find(TransportId id) {
    if (slot_of(id) >= socket_of_slot_.size()) return nullptr;
    return find(Named{socket_of_slot_[slot_of(id)], id});
}

/// Any connection, those leaving included.
WebSockets::Connection* WebSockets::find(Named named) {
    if (named.socket < 0 || static_cast<std::size_t>(named.socket) >= by_socket_.size())
        return nullptr;
    Connection* connection = by_socket_[static_cast<std::size_t>(named.socket)].get();
    return connection && connection->id == named.id ? connection : nullptr;
}

void WebSockets::mark_dirty(Connection& connection) {
    if (std::exchange(connection.in_dirty, true)) return;
    dirty_.push_back({connection.socket, connection.id});
}

}  // namespace oncewire::net
