#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP requests that are neither Socket.IO's nor for a file.
namespace oncewire::api {

struct HttpRequest {
    std::string method;
    std::string target;   ///< path and query, as they came
    std::string address;  ///< of the client: behind a trusted proxy the one that the proxy names
    std::string network;  ///< what limits should count, as Handshake::network
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;  ///< whatever the method; of one that came in chunks the content alone

    /// The path alone.
    std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
};

/// Headers that say how long the answer is or what becomes of the connection are left out, and so are
/// those that are no valid headers.
struct HttpAnswer {
    unsigned status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// How a handler of Application::on_http() answers: now or later, once.
class HttpReply {
  public:
    using Send = std::function<void(HttpAnswer)>;
    explicit HttpReply(Send send) : send_(std::make_shared<Send>(std::move(send))) {}

    void operator()(HttpAnswer answer) const {
        if (*send_) std::exchange(*send_, nullptr)(std::move(answer));
    }
    /// Plain text.
    void operator()(unsigned status, std::string text) const {
        (*this)({status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text)});
    }

  private:
    std::shared_ptr<Send> send_;
};

}  // namespace oncewire::api
