#include "server/net/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace oncewire::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

int open_spare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool is_out_of_resources(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

std::string sentence(const Address& address, const std::string& why) {
    return "cannot listen on " + address.host + ":" + std::to_string(address.port) + ": " + why;
}

error_code bind(tcp::acceptor& acceptor, const Address& address, bool shared) {
    error_code error;
    tcp::resolver resolver(acceptor.get_executor());
    const auto found =
        resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
    if (error) return error;
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && shared) acceptor.set_option(reuse_port(true), error);
    // Linux hands it on to every accepted socket, so it costs no call for each.
    if (!error) acceptor.set_option(tcp::no_delay(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    return error;
}

}  // namespace

std::optional<std::string> why_taken(asio::io_context& context, const Address& address) {
    tcp::acceptor probe(context);
    const error_code error = bind(probe, address, false);
    return error ? std::optional(sentence(address, error.message())) : std::nullopt;
}

Listener::Listener(asio::io_context& context, OnConnection on_connection)
    : on_connection_(std::move(on_connection)),
      acceptor_(context),
      timer_(context),
      spare_(open_spare()) {}

Listener::~Listener() {
    if (spare_ >= 0) close(spare_);
}

Result<std::uint16_t, std::string> Listener::listen(const Address& address, bool shared) {
    error_code error = bind(acceptor_, address, shared);
    if (error) return Err{sentence(address, error.message())};
    acceptor_.native_non_blocking(true, error);
    if (error) return Err{sentence(address, error.message())};
    const std::uint16_t port = acceptor_.local_endpoint(error).port();
    await_peers();
    return port;
}

void Listener::stop() {
    error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
}

void Listener::await_peers() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](error_code error) {
        if (!error) accept_peers();
    });
}

/// Everybody who waits, up to a batch: a crowd that comes back after a restart is let in by one event
/// of the loop, yet those who are in already get their turn.
void Listener::accept_peers() {
    for (int accepted = 0; accepted < batch; ++accepted) {
        tcp::endpoint peer;
        auto size = static_cast<socklen_t>(peer.capacity());
        const int socket =
            accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0 && is_out_of_resources(errno)) return wait_for_descriptors();
        if (socket < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (socket < 0) continue;  // the peer gave up while it waited
        peer.resize(size);
        take(socket, peer);
    }
    await_peers();
}

void Listener::take(int handle, const tcp::endpoint& peer) {
    tcp::socket socket(acceptor_.get_executor());
    error_code error;
    socket.assign(peer.protocol(), handle, error);
    if (error) {
        close(handle);
        return;
    }
    try {
        on_connection_(std::move(socket), peer.address().to_string());
    } catch (const std::exception&) {
        // No memory for this one; the loop must live for the others.
    }
}

void Listener::wait_for_descriptors() {
    turn_one_away();
    timer_.expires_after(std::chrono::milliseconds(pause.count()));
    timer_.async_wait([this](error_code error) {
        if (!error) await_peers();
    });
}

void Listener::turn_one_away() {
    if (spare_ >= 0) close(spare_);
    const int socket =
        accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) close(socket);
    spare_ = open_spare();
}

}  // namespace oncewire::net
