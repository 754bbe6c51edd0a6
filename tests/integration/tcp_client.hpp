#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/time.hpp"

namespace integration {

using oncewire::Millis;

/// For what must happen: longer than any machine stands still.
inline constexpr Millis patience{30'000};

/// A plain TCP connection to 127.0.0.1 that says exactly what it is told, and waits with a limit.
class TcpClient {
  public:
    explicit TcpClient(std::uint16_t port);
    ~TcpClient();
    TcpClient(TcpClient&& other) noexcept;
    TcpClient(const TcpClient&) = delete;

    /// False: the peer has closed.
    bool send(const std::string& bytes);
    /// Sends as much as is taken without waiting; the number of bytes.
    std::size_t send_some(const std::string& bytes);
    void end_sending();
    /// Waits for at most `limit` until something arrives; false: nothing, or the end.
    bool receive(Millis limit = patience);
    /// Everything until the peer closes.
    std::string receive_all(Millis limit = patience);
    /// Waits until the received text contains `what`; removes and returns everything up to its end.
    std::optional<std::string> receive_until(const std::string& what, Millis limit = patience);
    /// The peer has dropped the connection, whatever is still to be read.
    bool is_reset() const;
    bool is_closed() const { return closed_; }
    std::string& received() { return received_; }

  private:
    int socket_ = -1;
    bool closed_ = false;
    std::string received_;
};

/// The status, headers and body of one answer.
struct Answer {
    unsigned status = 0;
    std::string head;
    std::string body;
};
/// Reads one answer with a Content-Length (or without content); status 0 if none came.
Answer receive_answer(TcpClient& client, bool has_content = true);
/// Sends and reads the answer on a new connection.
Answer fetch(std::uint16_t port, const std::string& request, bool has_content = true);
std::string get(const std::string& target, const std::string& fields = "");

/// A WebSocket client that may break every rule.
class WebSocketClient {
  public:
    /// Opens a session; `glued` is sent right behind the request.
    explicit WebSocketClient(std::uint16_t port, const std::string& glued = "");

    unsigned status() const { return answer_.status; }
    TcpClient& tcp() { return tcp_; }
    bool send_text(const std::string& text) { return tcp_.send(frame(0x81, text)); }
    /// A masked frame with this first byte.
    static std::string frame(unsigned first_byte, const std::string& payload);

    struct Frame {
        unsigned opcode = 0;
        std::string payload;
    };
    /// The next frame; none: nothing came, or the connection ended.
    std::optional<Frame> receive(Millis limit = patience);
    /// The next text that is no Engine.IO ping; pings are answered.
    std::optional<std::string> receive_text(Millis limit = patience);
    /// Reads until the server closes; the code of its close frame (1005: empty, 0: none came).
    unsigned receive_close();
    /// Joins the main namespace and swallows the answer. False if refused.
    bool join(const std::string& auth = "");
    /// Asks for an echo and compares: is this connection, and so the server, alive?
    bool is_served();

  private:
    TcpClient tcp_;
    Answer answer_;
};

}  // namespace integration
