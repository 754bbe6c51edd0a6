#include "server/core/transports.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "server/core/environment.hpp"
#include "server/net/gate/address.hpp"

namespace oncewire::core {
namespace {

hub::Request request_of(engineio::TransportKind transport, net::HttpRequest request) {
    const net::Client& client = request.client;
    return {transport,
            client.address,
            net::network_of(client.address),
            std::move(request.target),
            std::move(request.headers),
            client.secure.value_or(false)};
}

}  // namespace

Transports::Transports(hub::Hub& hub, net::Loop& loop, Options options, Host host)
    : hub_(hub),
      loop_(loop),
      core_(options.core),
      cores_(options.cores),
      limits_(*options.limits),
      sessions_per_connection_(options.sessions_per_connection),
      host_(std::move(host)),
      web_sockets_(loop, options.web_sockets),
      routes_(hub, std::move(options.polling), *this),
      http_(loop, std::move(options.http), *this) {}

// ---- what comes in ------------------------------------------------------------------------------

bool Transports::hear(Instant now) {
    const bool heard = hear_web_sockets(now);
    return routes_.hear(now) || heard;
}

/// What comes by a WebSocket that is being tried is taken alone: it may make it the transport, and
/// what follows in the same batch then belongs to the session, once the hub's outputs are performed.
bool Transports::hear_web_sockets(Instant now) {
    bool heard = false;
    while (const auto input = web_sockets_.poll_input()) {
        heard = true;
        using Kind = net::TransportInput::Kind;
        const bool is_probe = routes_.is_probing(input->id);
        switch (input->kind) {
            case Kind::frame:
                routes_.handle_frame(input->id, input->frame, now);
                break;
            case Kind::written:
                routes_.handle_written(input->id, now);
                break;
            case Kind::closed:
                routes_.handle_closed(input->id, input->reason, now);
                break;
        }
        if (is_probe) break;
    }
    return heard;
}

void Transports::handle_timeout(Instant now) {
    web_sockets_.handle_timeout(now);
    routes_.handle_timeout(now);
}

std::optional<Instant> Transports::next_timeout() const {
    return earliest(web_sockets_.next_timeout(), routes_.next_timeout());
}

// ---- HTTP ---------------------------------------------------------------------------------------

net::SessionKind Transports::session_kind(std::string_view sid) {
    const auto owner = hub::Hub::owner_of(sid);
    if (owner && *owner != core_ && *owner < cores_) return net::SessionKind::elsewhere;
    const auto connection = hub_.find_by_sid(sid);
    if (!routes_.is_polling(sid)) {
        return connection ? net::SessionKind::websocket : net::SessionKind::unknown;
    }
    if (!connection) return net::SessionKind::polling;
    const bool open = hub_.status_of(*connection).state == engineio::SessionState::open;
    return open ? net::SessionKind::polling : net::SessionKind::probing;
}

void Transports::handle_handshake(net::RequestId id, const net::HttpRequest& request) {
    host_.turn([&](Instant) {
        const auto transport = net::is_upgrade_request(request) ? engineio::TransportKind::websocket
                                                                : engineio::TransportKind::polling;
        host_.ask_admission(request_of(transport, request),
                            [this, id](const std::optional<std::string>& refusal) {
                                host_.post([=, this] { decide(id, refusal); });
                            });
    });
}

void Transports::handle_other(net::RequestId id, const net::HttpRequest& request) {
    host_.turn([&](Instant) {
        host_.ask_http(request, [this, id](net::HttpResponse response) {
            host_.post([this, id, response = std::move(response)]() mutable {
                http_.answer(id, std::move(response));
            });
        });
    });
}

/// In a turn of its own, because whoever decides is in the middle of one.
void Transports::decide(net::RequestId id, const std::optional<std::string>& refusal) {
    refusal ? http_.refuse(id, *refusal) : http_.admit(id);
}

/// The connection has a place already; where it is a proxy's, that is nobody's.
std::optional<net::Seat> Transports::take_websocket_seat(const net::HttpRequest& request) {
    const bool is_new = net::engine_sid(request).empty();
    if (is_new && !limits_.has_room_for_session(false)) return std::nullopt;
    if (!request.client.by_proxy) return net::Seat();
    return limits_.take_by_proxy(request.client.address);
}

std::optional<net::Seat> Transports::take_polling_seat(const net::Client& client) {
    const auto& begun = client.sessions;
    const bool is_crowded =
        begun && sessions_per_connection_ && *begun >= *sessions_per_connection_;
    if (is_crowded || !limits_.has_room_for_session(true)) return std::nullopt;
    auto seat = limits_.take(client.address);
    if (!seat || !begun) return seat;
    ++*begun;
    return net::both(std::move(*seat), net::Seat(begun.get(), [begun](void*) { --*begun; }));
}

void Transports::handle_get(net::RequestId id, const net::HttpRequest& request) {
    host_.turn([&](Instant now) {
        const std::string_view sid = net::engine_sid(request);
        if (!sid.empty()) return routes_.handle_get(id, sid, net::request_mark(request), now);
        if (!accepting_) return http_.answer(id, net::plain_text(503, "shutting down"));
        auto seat = take_polling_seat(request.client);
        if (!seat) return http_.answer(id, net::plain_text(503, "too many sessions"));
        routes_.handle_first_get(id, request_of(engineio::TransportKind::polling, request),
                                 std::move(*seat), now);
    });
}

bool Transports::handle_post_begun(const net::HttpRequest& request) {
    bool taken = false;
    host_.turn([&](Instant) { taken = routes_.handle_post_begun(net::engine_sid(request)); });
    return taken;
}

void Transports::handle_post(net::RequestId id, const net::HttpRequest& request) {
    host_.turn([&](Instant) {
        routes_.handle_post(id, net::engine_sid(request), request.body, net::request_mark(request));
    });
}

void Transports::handle_post_aborted(const net::HttpRequest& request) {
    host_.turn([&](Instant) { routes_.handle_post_aborted(net::engine_sid(request)); });
}

/// Others than polls have no session, and their answer finds nobody.
void Transports::handle_abandoned(net::RequestId id, const net::HttpRequest& request) {
    host_.turn([&](Instant) { routes_.handle_abandoned(id, net::engine_sid(request)); });
}

void Transports::handle_upgrade(net::Upgraded upgraded) {
    if (!accepting_) {
        return hang_up(upgraded.socket);
    }
    host_.turn([&](Instant now) {
        const std::string sid(net::engine_sid(upgraded.request));
        const bool text_only = net::wants_base64(upgraded.request);
        std::string network = net::network_of(upgraded.request.client.address);
        const auto connection = routes_.handle_websocket(
            sid, request_of(engineio::TransportKind::websocket, std::move(upgraded.request)),
            text_only, now);
        if (!connection) return refuse(upgraded);
        web_sockets_.open(*connection,
                          {upgraded.socket, upgraded.answer, std::move(upgraded.unread),
                           upgraded.deflate, std::move(upgraded.seat), std::move(network)});
    });
}

/// As the reference does: the handshake is answered, and the WebSocket closed at once. A client that
/// was refused before it would report a broken server. [EIO4 Upgrade]
void Transports::refuse(const net::Upgraded& upgraded) {
    const std::string answer = upgraded.answer + std::string("\x88\x00", 2);
    // The first bytes on a connection always fit; a peer that is gone does not matter.
    [[maybe_unused]] const auto sent =
        send(upgraded.socket, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    hang_up(upgraded.socket);
}

void Transports::hang_up(int socket) {
    loop_.forget(socket);
    ::close(socket);
}

void Transports::handle_foreign(std::string_view sid, net::Foreign foreign) {
    host_.pass_on(*hub::Hub::owner_of(sid), std::move(foreign));
}

void Transports::add_entropy() {
    if (const std::size_t wanted = hub_.secrets().wanted()) {
        hub_.secrets().add(random_bytes(wanted));
    }
}

}  // namespace oncewire::core
