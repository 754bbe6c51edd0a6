#include "server/net/http_server.hpp"

#include <array>
#include <chrono>

#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "server/net/http_gate.hpp"
#include "server/net/http_head.hpp"
#include "server/net/websocket_handshake.hpp"

namespace oncewire::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// 256 KiB: what is read and thrown away of a request that was refused.
constexpr std::size_t discard_bytes_max = 256u << 10;

}  // namespace

/// One connection while it speaks HTTP. Each step ends by asking for the next: a head, a body, an
/// answer, and again. Not a coroutine, because g++ 12 miscompiles several of their forms. Whoever
/// waits for something holds a reference, so it lives until nobody does.
class HttpServer::Conversation : public std::enable_shared_from_this<Conversation> {
  public:
    Conversation(HttpServer& server, tcp::socket socket, std::string address)
        : server_(server),
          socket_(std::move(socket)),
          deadline_(socket_.get_executor()),
          address_(std::move(address)) {}

    void await_request() {
        set_deadline(server_.options_.head_timeout);
        scanned_ = 0;
        await_head();
    }

  private:
    using Step = void (Conversation::*)();

    // ---- reading --------------------------------------------------------------------------------

    void await_head() {
        const auto found = find_head(received_, scanned_);
        if (!found) return refuse(found.error());
        if (*found) return take_head(**found);
        scanned_ = received_.size();
        read_some(&Conversation::await_head, &Conversation::give_up);
    }

    void take_head(std::size_t size) {
        const std::string_view head = std::string_view(received_).substr(0, size);
        const auto framing = check_head(head);
        if (!framing) return refuse(framing.error());
        auto request = parse_head(head);
        if (!request) return refuse({400, "malformed request"});
        request_ = std::move(*request);
        received_.erase(0, size);
        body_size_ = framing->content_length;
        if (body_size_ > received_.size()) set_deadline(server_.options_.body_timeout);
        await_body();
    }

    void await_body() {
        if (received_.size() < body_size_) {
            return read_some(&Conversation::await_body, &Conversation::give_up);
        }
        request_.body = received_.substr(0, body_size_);
        received_.erase(0, body_size_);
        answer();
    }

    /// The peer went away, or took too long. One that said nothing at all is not worth an answer.
    void give_up() {
        const bool said_something = !received_.empty() || body_size_ > 0;
        if (expired_ && said_something) return refuse({408, "too slow"});
        end();
    }

    void read_some(Step then, Step otherwise) {
        socket_.async_read_some(asio::buffer(piece_), [self = shared_from_this(), then, otherwise](
                                                          error_code error, std::size_t count) {
            if (error || self->expired_) return (self.get()->*otherwise)();
            self->received_.append(self->piece_.data(), count);
            (self.get()->*then)();
        });
    }

    // ---- answering ------------------------------------------------------------------------------

    void answer() {
        const bool upgrade = is_upgrade_request(request_);
        const bool close = has_token(find_header(request_.headers, "Connection"), "close");
        response_ = respond();
        if (response_.status == 101) return hand_over();
        send(!upgrade && !close ? &Conversation::await_next : &Conversation::linger);
    }

    HttpResponse respond() const {
        if (auto file = serve_static(request_, static_files())) return std::move(*file);
        const EngineOptions& engine = server_.options_.engine;
        if (!is_engine_request(request_, engine)) return plain_text(404, "not found");
        if (const auto error = check_engine_request(request_, engine)) {
            return engine_error_response(*error, is_upgrade_request(request_));
        }
        return answer_handshake(request_);
    }

    void hand_over() {
        deadline_.cancel();
        error_code error;
        socket_.native_non_blocking(true, error);
        const int socket = socket_.release(error);
        if (error) return;
        server_.on_upgrade_({socket, std::move(address_), std::move(request_),
                             format_head(response_, true), std::move(received_)});
    }

    void refuse(HttpRefusal refusal) {
        request_ = {};
        response_ = plain_text(refusal.status, refusal.reason);
        send(&Conversation::linger);
    }

    void send(Step then) {
        set_deadline(server_.options_.body_timeout);
        response_head_ = format_head(response_, then == &Conversation::await_next);
        const bool is_head = request_.method == "HEAD";
        const std::string_view content = is_head ? std::string_view() : response_.content();
        const std::array<asio::const_buffer, 2> parts = {asio::buffer(response_head_),
                                                         asio::buffer(content)};
        asio::async_write(socket_, parts,
                          [self = shared_from_this(), then](error_code error, std::size_t) {
                              if (error || self->expired_) return self->end();
                              (self.get()->*then)();
                          });
    }

    void await_next() {
        body_size_ = 0;
        await_request();
    }

    // ---- the end --------------------------------------------------------------------------------

    /// Closing with unread bytes makes the kernel reset the connection, and the peer may lose our
    /// answer; so our side ends first, and what still comes is thrown away for a moment.
    void linger() {
        set_deadline(server_.options_.linger);
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        discard();
    }

    void discard() {
        discarded_ += received_.size();
        received_.clear();
        if (discarded_ > discard_bytes_max) return end();
        read_some(&Conversation::discard, &Conversation::end);
    }

    void end() { deadline_.cancel(); }

    /// Absolute: whatever is awaited fails when it passes, however often bytes come.
    void set_deadline(Millis after) {
        expired_ = false;
        deadline_.expires_after(std::chrono::milliseconds(after.count()));
        deadline_.async_wait([self = shared_from_this()](error_code error) {
            // A deadline that passed just before it was moved may still report.
            if (error || self->deadline_.expiry() > asio::steady_timer::clock_type::now()) return;
            self->expired_ = true;
            self->socket_.cancel(error);
        });
    }

    HttpServer& server_;
    tcp::socket socket_;
    asio::steady_timer deadline_;
    bool expired_ = false;
    std::string address_;

    std::string received_;  // and not used yet
    std::size_t scanned_ = 0;
    std::uint64_t body_size_ = 0;
    std::size_t discarded_ = 0;
    HttpRequest request_;
    HttpResponse response_;
    std::string response_head_;
    std::array<char, 4096> piece_;
};

void HttpServer::serve(tcp::socket socket, std::string address) {
    std::make_shared<Conversation>(*this, std::move(socket), std::move(address))->await_request();
}

}  // namespace oncewire::net
