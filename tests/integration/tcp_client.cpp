#include "tests/integration/tcp_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace integration {
namespace {

using Steady = std::chrono::steady_clock;

Millis left_until(Steady::time_point deadline) {
    return std::max(std::chrono::ceil<Millis>(deadline - Steady::now()), Millis(0));
}

std::uint64_t big_endian(const std::string& bytes, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    }
    return value;
}

}  // namespace

TcpClient::TcpClient(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    closed_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0;
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

TcpClient::~TcpClient() {
    if (socket_ >= 0) close(socket_);
}

TcpClient::TcpClient(TcpClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      closed_(other.closed_),
      received_(std::move(other.received_)) {}

bool TcpClient::send(const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
        const ssize_t count =
            ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return false;
        sent += static_cast<std::size_t>(count);
    }
    return true;
}

std::size_t TcpClient::send_some(const std::string& bytes) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool TcpClient::is_reset() const {
    pollfd state{socket_, 0, 0};
    poll(&state, 1, 1);
    return (state.revents & (POLLERR | POLLHUP)) != 0;
}

void TcpClient::end_sending() { shutdown(socket_, SHUT_WR); }

bool TcpClient::receive(Millis limit) {
    if (closed_) return false;
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return false;
    char piece[65536];
    const ssize_t count = recv(socket_, piece, sizeof piece, 0);
    closed_ = count <= 0;
    if (count > 0) received_.append(piece, static_cast<std::size_t>(count));
    return count > 0;
}

std::string TcpClient::receive_all(Millis limit) {
    const auto deadline = Steady::now() + limit;
    while (!closed_ && Steady::now() < deadline) receive(left_until(deadline));
    return std::exchange(received_, {});
}

std::optional<std::string> TcpClient::receive_until(const std::string& what, Millis limit) {
    const auto deadline = Steady::now() + limit;
    for (;;) {
        const std::size_t found = received_.find(what);
        if (found != std::string::npos) {
            std::string taken = received_.substr(0, found + what.size());
            received_.erase(0, taken.size());
            return taken;
        }
        if (!receive(left_until(deadline))) return std::nullopt;
    }
}

Answer receive_answer(TcpClient& client, bool has_content) {
    const auto head = client.receive_until("\r\n\r\n");
    if (!head || !head->starts_with("HTTP/1.1 ")) return {};
    Answer answer{static_cast<unsigned>(std::stoul(head->substr(9, 3))), *head, ""};
    const std::size_t length_at = head->find("\r\nContent-Length: ");
    if (!has_content || length_at == std::string::npos) return answer;
    const std::size_t length = std::stoul(head->substr(length_at + 18));
    while (client.received().size() < length && client.receive()) {
    }
    answer.body = client.received().substr(0, length);
    client.received().erase(0, length);
    return answer;
}

Answer fetch(std::uint16_t port, const std::string& request, bool has_content) {
    TcpClient client(port);
    client.send(request);
    return receive_answer(client, has_content);
}

std::string get(const std::string& target, const std::string& fields) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

WebSocketClient::WebSocketClient(std::uint16_t port, const std::string& glued) : tcp_(port) {
    tcp_.send(get("/socket.io/?EIO=4&transport=websocket",
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n") +
              glued);
    answer_ = receive_answer(tcp_);
}

std::string WebSocketClient::frame(unsigned first_byte, const std::string& payload) {
    std::string out(1, static_cast<char>(first_byte));
    const std::size_t size = payload.size();
    const int length_bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
    out += static_cast<char>(0x80 | (length_bytes == 0 ? size : length_bytes == 2 ? 126u : 127u));
    for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
    const std::string mask = "\x37\xfa\x21\x3d";
    out += mask;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
    return out;
}

std::optional<WebSocketClient::Frame> WebSocketClient::receive(Millis limit) {
    const auto deadline = Steady::now() + limit;
    std::string& bytes = tcp_.received();
    for (;;) {
        const std::size_t form =
            bytes.size() < 2 ? 0 : static_cast<unsigned char>(bytes[1]) & 0x7fu;
        const std::size_t header = form < 126 ? 2 : form == 126 ? 4 : 10;
        if (bytes.size() >= std::max<std::size_t>(header, 2)) {
            const std::size_t size = form < 126 ? form : big_endian(bytes, 2, header - 2);
            if (bytes.size() >= header + size) {
                Frame frame{static_cast<unsigned char>(bytes[0]) & 0x0fu,
                            bytes.substr(header, size)};
                bytes.erase(0, header + size);
                return frame;
            }
        }
        if (!tcp_.receive(left_until(deadline))) return std::nullopt;
    }
}

std::optional<std::string> WebSocketClient::receive_text(Millis limit) {
    while (auto frame = receive(limit)) {
        if (frame->opcode != 1) return std::nullopt;
        if (frame->payload != "2") return frame->payload;
        send_text("3");
    }
    return std::nullopt;
}

unsigned WebSocketClient::receive_close() {
    unsigned code = 0;
    while (const auto frame = receive()) {
        if (frame->opcode != 8) continue;
        code =
            frame->payload.empty() ? 1005 : static_cast<unsigned>(big_endian(frame->payload, 0, 2));
    }
    return tcp_.is_closed() ? code : 0;
}

bool WebSocketClient::join(const std::string& auth) {
    if (!send_text("40" + auth)) return false;
    while (const auto text = receive_text()) {
        if (text->starts_with("40")) return true;
    }
    return false;
}

bool WebSocketClient::is_served() {
    if (!send_text(R"(429["echo","alive"])")) return false;
    while (const auto text = receive_text()) {
        if (*text == R"(439["alive"])") return true;
    }
    return false;
}

}  // namespace integration
