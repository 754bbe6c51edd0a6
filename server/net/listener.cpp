#include "server/net/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

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

std::string text_of(const sockaddr_storage& peer) {
    char text[INET6_ADDRSTRLEN] = "";
    if (peer.ss_family == AF_INET6) {
        const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(peer);
        inet_ntop(AF_INET6, &ipv6.sin6_addr, text, sizeof text);
    } else {
        const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(peer);
        inet_ntop(AF_INET, &ipv4.sin_addr, text, sizeof text);
    }
    return text;
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

std::optional<std::string> why_taken(const Address& address) {
    asio::io_context context;
    tcp::acceptor probe(context);
    const error_code error = bind(probe, address, false);
    return error ? std::optional(sentence(address, error.message())) : std::nullopt;
}

Listener::Listener(Loop& loop, OnConnection on_connection)
    : on_connection_(std::move(on_connection)),
      loop_(loop),
      pause_(loop, [this] { go_on(); }),
      spare_(open_spare()) {}

Listener::~Listener() {
    stop();
    if (spare_ >= 0) close(spare_);
}

/// Names and options are Asio's business, waiting is ours.
Result<std::uint16_t, std::string> Listener::listen(const Address& address, bool shared) {
    asio::io_context context;
    tcp::acceptor acceptor(context);
    error_code error = bind(acceptor, address, shared);
    if (!error) acceptor.native_non_blocking(true, error);
    if (error) return Err{sentence(address, error.message())};
    const std::uint16_t port = acceptor.local_endpoint(error).port();
    socket_ = acceptor.release(error);
    if (error || !loop_.watch(socket_, EPOLLIN, *this)) {
        return Err{sentence(address, "no room for one more descriptor")};
    }
    return port;
}

void Listener::stop() {
    pause_.stop();
    if (socket_ < 0) return;
    loop_.forget(socket_);
    close(std::exchange(socket_, -1));
}

/// Everybody who waits, up to a batch: a crowd that comes back after a restart is let in by one event
/// of the loop, yet those who are in already get their turn.
void Listener::handle_ready(int, std::uint32_t) {
    for (int accepted = 0; accepted < batch && socket_ >= 0; ++accepted) {
        if (!accept_one()) return;
    }
}

/// False: there is nobody, or no room.
bool Listener::accept_one() {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int socket =
        accept4(socket_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
        take(socket, text_of(peer));
        return true;
    }
    if (is_out_of_resources(errno)) {
        wait_for_descriptors();
        return false;
    }
    return errno != EAGAIN && errno != EWOULDBLOCK;  // else the peer gave up while it waited
}

void Listener::take(int socket, const std::string& address) {
    try {
        on_connection_(socket, address);
    } catch (const std::exception&) {
        // No memory for this one; the loop must live for the others.
    }
}

void Listener::wait_for_descriptors() {
    turn_one_away();
    loop_.unwatch(socket_);
    pause_.set_after(pause);
}

/// Watching needs memory of the kernel; where there is none now there may be some soon.
void Listener::go_on() {
    if (!loop_.watch(socket_, EPOLLIN, *this)) pause_.set_after(pause);
}

void Listener::turn_one_away() {
    if (spare_ >= 0) close(spare_);
    const int socket = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket >= 0) close(socket);
    spare_ = open_spare();
}

}  // namespace oncewire::net
