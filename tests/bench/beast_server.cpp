// A plain Beast broadcast server, as its documentation would have one written: one thread, one queue and
// one async_write per message for each receiver. It speaks just enough Socket.IO for the load generator,
// so it says what the library costs without our transports, and what coalescing is worth.
#include <csignal>
#include <deque>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Text = std::shared_ptr<const std::string>;

class Session;
using Sessions = std::set<std::shared_ptr<Session>>;

Text text(std::string bytes) { return std::make_shared<const std::string>(std::move(bytes)); }

class Session : public std::enable_shared_from_this<Session> {
  public:
    Session(tcp::socket socket, Sessions& everybody)
        : stream_(std::move(socket)), everybody_(everybody) {}

    void start() {
        stream_.async_accept([self = shared_from_this()](error_code error) {
            if (error) return;
            self->everybody_.insert(self);
            self->write(text(R"(0{"sid":"s","upgrades":[],"pingInterval":60000,)"
                             R"("pingTimeout":60000,"maxPayload":1000000})"));
            self->read();
        });
    }

    void write(Text message) {
        waiting_.push_back(std::move(message));
        if (waiting_.size() == 1) write_next();
    }

  private:
    void read() {
        stream_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
            if (error) return void(self->everybody_.erase(self));
            self->handle(beast::buffers_to_string(self->buffer_.data()));
            self->buffer_.clear();
            self->read();
        });
    }

    void handle(std::string_view packet) {
        if (packet.substr(0, 2) == "40") return write(text(R"(40{"sid":"s"})"));
        if (packet.substr(0, 2) != "42") return;
        const auto list = packet.find('[');
        if (packet.substr(list, 8) == R"(["echo",)") {
            const auto id = std::string(packet.substr(2, list - 2));
            return write(text("43" + id + '[' + std::string(packet.substr(list + 8))));
        }
        const auto message = text(std::string(packet));
        for (const auto& session : everybody_) session->write(message);
    }

    void write_next() {
        stream_.async_write(asio::buffer(*waiting_.front()),
                            [self = shared_from_this()](error_code error, std::size_t) {
                                if (error) return;
                                self->waiting_.pop_front();
                                if (!self->waiting_.empty()) self->write_next();
                            });
    }

    beast::websocket::stream<tcp::socket> stream_;
    Sessions& everybody_;
    beast::flat_buffer buffer_;
    std::deque<Text> waiting_;
};

void accept_next(tcp::acceptor& acceptor, Sessions& everybody) {
    acceptor.async_accept([&](error_code error, tcp::socket socket) {
        if (error) return;
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        std::make_shared<Session>(std::move(socket), everybody)->start();
        accept_next(acceptor, everybody);
    });
}

}  // namespace

int main() {
    asio::io_context context(1);
    Sessions everybody;
    tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
    accept_next(acceptor, everybody);
    asio::signal_set signals(context, SIGTERM);
    signals.async_wait([&](error_code, int) { context.stop(); });
    std::cout << "listening on http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
    context.run();
}
