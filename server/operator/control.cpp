#include "server/operator/control.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

namespace oncewire::ops {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
using boost::system::error_code;

/// 4 KiB: a verb and a path.
constexpr std::size_t line_bytes_max = 4096;
/// What sockaddr_un holds, with its final zero.
constexpr std::size_t path_bytes_max = 107;

/// Without its end; empty if it was too long or the caller went away.
std::string read_line(Protocol::socket& socket) {
    asio::streambuf buffer(line_bytes_max);
    error_code error;
    const std::size_t size = asio::read_until(socket, buffer, '\n', error);
    if (error || size == 0) return {};
    const auto data = buffer.data();
    return {asio::buffers_begin(data), asio::buffers_begin(data) + static_cast<long>(size - 1)};
}

/// A caller who says nothing must not keep the next one waiting for ever.
void limit_patience(Protocol::socket& socket) {
    const timeval patience{5, 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

}  // namespace

class Control::Door {
  public:
    asio::io_context context{1};
    Protocol::acceptor acceptor{context};
};

Control::Control(std::string path, std::map<std::string, Verb> verbs)
    : path_(std::move(path)), verbs_(std::move(verbs)), door_(std::make_unique<Door>()) {}

Control::~Control() { stop(); }

Result<void, std::string> Control::start() {
    error_code error;
    ::unlink(path_.c_str());
    const auto check = [&](const char* what) -> Result<void, std::string> {
        if (!error) return {};
        return Err{"cannot " + std::string(what) + " the control socket '" + path_ +
                   "': " + error.message()};
    };
    door_->acceptor.open(Protocol(), error);
    if (auto done = check("open"); !done) return done;
    door_->acceptor.bind(Protocol::endpoint(path_), error);
    if (auto done = check("make"); !done) return done;
    // Before anybody can connect.
    if (::chmod(path_.c_str(), S_IRUSR | S_IWUSR) != 0) return Err{"cannot protect " + path_};
    door_->acceptor.listen(8, error);
    if (auto done = check("listen on"); !done) return done;
    thread_ = std::thread([this] { run(); });
    return {};
}

void Control::stop() {
    if (!thread_.joinable()) return;
    door_->context.stop();
    thread_.join();
    ::unlink(path_.c_str());
}

void Control::run() {
    const std::function<void()> accept = [&] {
        door_->acceptor.async_accept([&](error_code error, Protocol::socket socket) {
            if (!error) {
                limit_patience(socket);
                const std::string said = answer(read_line(socket));
                error_code gone;
                asio::write(socket, asio::buffer(said), gone);
            }
            accept();
        });
    };
    accept();
    door_->context.run();
}

std::string Control::answer(const std::string& line) const {
    const auto space = line.find(' ');
    const auto verb = verbs_.find(line.substr(0, space));
    if (verb == verbs_.end()) return "error there is no such verb\n";
    const auto result = verb->second(space == line.npos ? "" : line.substr(space + 1));
    return result ? "ok\n" + *result : "error " + result.error() + "\n";
}

std::string Control::path_for(const std::string& database) {
    if (database == ":memory:") return {};
    std::string path = database + "-control";
    return path.size() <= path_bytes_max ? path : std::string();
}

std::optional<Result<std::string, std::string>> Control::ask(const std::string& path,
                                                             const std::string& line) {
    using Answer = Result<std::string, std::string>;
    if (path.empty()) return std::nullopt;
    asio::io_context context;
    Protocol::socket socket(context);
    error_code error;
    socket.connect(Protocol::endpoint(path), error);
    if (error) return std::nullopt;
    asio::write(socket, asio::buffer(line + '\n'), error);
    std::string text;
    asio::read(socket, asio::dynamic_buffer(text), error);
    if (text.starts_with("ok\n")) return Answer(text.substr(3));
    if (text.starts_with("error ")) return Answer(Err{text.substr(6, text.size() - 7)});
    return Answer(Err{std::string("the server ended before it answered")});
}

}  // namespace oncewire::ops
